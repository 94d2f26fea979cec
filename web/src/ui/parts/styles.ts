import laterCss from '../styles/later.css?inline';

const added = new Set<string>();

/**
 * Styles of what is loaded later travel inside its script: one request less, and no part comes without its looks.
 * They become one rule of the page's own sheet, as browsers older than constructed sheets know that too.
 */
export function addStyles(css: string): void {
  if (added.has(css)) return;
  added.add(css);
  const sheet = document.styleSheets[0];
  sheet?.insertRule(`@media all{${css}}`, sheet.cssRules.length);
}

addStyles(laterCss);
