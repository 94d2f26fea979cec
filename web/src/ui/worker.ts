/** The service worker: it keeps the app on this device, so that it opens while its origin cannot be reached. */
import { update } from './update.ts';

/** A running app looks for a newer version this often. */
const LOOK_EVERY_MS = 6 * 3_600_000;

function watch(registration: ServiceWorkerRegistration): void {
  const offer = (): void => {
    const { waiting } = registration;
    // The first worker of all is no update.
    if (waiting && navigator.serviceWorker.controller) update.value = () => waiting.postMessage('start');
  };
  offer();
  registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', offer));
  setInterval(() => void registration.update().catch(() => undefined), LOOK_EVERY_MS);
}

/** The description of an installable app: not worth its bytes before the first message. */
function addManifest(): void {
  const link = document.createElement('link');
  link.rel = 'manifest';
  link.href = './manifest.webmanifest';
  document.head.append(link);
}

/** Nothing waits for this: where the origin is blocked it may hang or fail, and the app runs all the same. */
export function registerWorker(): void {
  addManifest();
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  let asked = false;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (update.peek() && !asked) {
      asked = true;
      location.reload();
    }
  });
  navigator.serviceWorker.register('./sw.js', { scope: './', updateViaCache: 'none' }).then(watch, () => undefined);
}
