import laterCss from '../styles/later.css?inline';

const added = new Set<string>();

/** Styles of what is loaded later travel inside its script: one request less, and no part comes without its looks. */
export function addStyles(css: string): void {
  if (added.has(css)) return;
  added.add(css);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

addStyles(laterCss);
