/**
 * Opens the app when its origin is dead.
 *
 * Files are kept only when their bytes have the hash that the build wrote down: a block page that answers 200 in
 * their place makes the installation fail, and the version before stays. Requests to a relay are never touched.
 */
import { contentType, fileOf } from './files.ts';

declare const self: ServiceWorkerGlobalScope;
/** File name to SHA-256 in hex, and a name for this set of files; the build fills both in. */
declare const __FILES__: Readonly<Record<string, string>>;
declare const __VERSION__: string;

const PREFIX = 'polynya-';
const CACHE = `${PREFIX}${__VERSION__}`;

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function addressOf(file: string): string {
  return new URL(file, self.registration.scope).href;
}

async function keep(cache: Cache, file: string, hash: string): Promise<void> {
  // Names of assets hold their hash, so what the browser has of them is right; others may be of the version before.
  const cached = file.startsWith('assets/') ? 'default' : 'no-cache';
  const response = await fetch(addressOf(file), { cache: cached, credentials: 'omit', redirect: 'error' });
  const body = await response.arrayBuffer();
  if (!response.ok || hex(await crypto.subtle.digest('SHA-256', body)) !== hash) throw new TypeError(`not the file that was built: ${file}`);
  const headers = { 'content-type': contentType(file, response.headers.get('content-type')) };
  await cache.put(addressOf(file), new Response(body, { headers }));
}

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  // One after another: a burst of connections is what some censors look for.
  for (const [file, hash] of Object.entries(__FILES__)) {
    if ((await cache.match(addressOf(file))) === undefined) await keep(cache, file, hash);
  }
}

async function removeOldVersions(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
}

async function answer(request: Request, file: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(addressOf(file))) ?? fetch(request);
}

self.addEventListener('install', (event) => event.waitUntil(install()));
// The page that brought this worker is served by it from now on: its origin may die before the next visit.
self.addEventListener('activate', (event) => event.waitUntil(removeOldVersions().then(() => self.clients.claim())));
// A newer version waits until the person, asked by the app, says so, or until no tab is open.
self.addEventListener('message', (event) => {
  if (event.data === 'start') event.waitUntil(self.skipWaiting());
});
self.addEventListener('fetch', (event) => {
  const file = fileOf(event.request.method, event.request.url, self.registration.scope, __FILES__);
  if (file !== null) event.respondWith(answer(event.request, file));
});
