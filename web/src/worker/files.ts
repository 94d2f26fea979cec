/** Which of the app's own files a request is for. */

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  webmanifest: 'application/manifest+json',
  woff2: 'font/woff2',
};

/** The content type by the file's name, else what the server said, else plain bytes. */
export function contentType(file: string, said: string | null): string {
  return TYPES[file.slice(file.lastIndexOf('.') + 1)] ?? said ?? 'application/octet-stream';
}

/**
 * The name in `files` that a request is for, or null where the request is none of the app's business:
 * another origin, another method, an address outside `scope`, or one that is no built file.
 */
export function fileOf(method: string, address: string, scope: string, files: Readonly<Record<string, string>>): string | null {
  if (method !== 'GET') return null;
  const url = new URL(address);
  const place = `${url.origin}${url.pathname}`;
  if (!place.startsWith(scope)) return null;
  const file = place.slice(scope.length) || 'index.html';
  return Object.hasOwn(files, file) ? file : null;
}
