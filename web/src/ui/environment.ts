/** Where the app cannot work, found out before anything heavy is loaded. */
import type { Unsupported } from '../client/types.ts';

export interface Environment {
  userAgent: string;
  secure: boolean;
  subtle: boolean;
  storage: boolean;
  locks: boolean;
  standalone: boolean;
  /** Names of properties that in-app browsers add to `window`. */
  hasGlobal(name: string): boolean;
}

export interface Obstacle {
  reason: Unsupported;
  /** The messenger whose built-in browser this is; empty when unknown. */
  detail: string;
}

/** Signs of other apps' built-in browsers; the first that fits names the app. */
const IN_APP: readonly (readonly [string, RegExp, readonly string[]])[] = [
  ['Telegram', /\bTelegram\b/i, ['TelegramWebview', 'TelegramWebviewProxy', 'TelegramWebviewProxyProto']],
  ['WhatsApp', /\bWhatsApp\//i, []],
  ['Messenger', /\bFBAN\/Messenger|\bMessenger(ForiOS|Lite)|\bOrca-Android/i, ['MessengerExtensions']],
  ['Instagram', /\bInstagram\b/i, []],
  ['Facebook', /\bFB(AN|AV|_IAB|IOS)\b/i, []],
  ['VK', /\bVK(AndroidApp|ClientAndroid|iOSApp|-iPhone|\/)|\bvk(client|share)\b|\bcom\.vk\./i, ['AndroidBridge']],
  ['MAX', /\bMAX(Messenger|App)?\/\d|\bOneMe\b|\bru\.oneme\b/, ['WebViewHandler']],
  ['WeChat', /\bMicroMessenger\//i, ['WeixinJSBridge']],
  ['Line', /\bLine\/\d/i, []],
  ['Viber', /\bViber\b/i, []],
  ['TikTok', /\bmusical_ly|\bBytedanceWebview|\bTikTok\b/i, []],
  ['Snapchat', /\bSnapchat\b/i, []],
  ['X', /\bTwitter(Android| for )/i, []],
  ['', /;\s*wv\)/, []],
];

/** Another app's built-in browser: its name (possibly empty), or null. */
export function inAppBrowser(environment: Pick<Environment, 'userAgent' | 'standalone' | 'hasGlobal'>): string | null {
  const { userAgent } = environment;
  if (environment.standalone) return null;
  for (const [name, sign, globals] of IN_APP) if (sign.test(userAgent) || globals.some((global) => environment.hasGlobal(global))) return name;
  const appleWithoutBrowser = /\((iPhone|iPad|iPod)[^)]*\) AppleWebKit\/[\d.]+ \(KHTML, like Gecko\)(?!.*\b(Safari|CriOS|FxiOS|EdgiOS|OPiOS|DuckDuckGo)\b)/;
  return appleWithoutBrowser.test(userAgent) ? '' : null;
}

/** Why the app cannot work here, or null. */
export function findObstacle(environment: Environment): Obstacle | null {
  const inApp = inAppBrowser(environment);
  if (inApp !== null) return { reason: 'in-app-browser', detail: inApp };
  if (!environment.secure || !environment.subtle) return { reason: 'no-webcrypto', detail: '' };
  if (!environment.storage) return { reason: 'no-storage', detail: '' };
  if (!environment.locks) return { reason: 'no-locks', detail: '' };
  return null;
}

function hasStorage(): boolean {
  try {
    return typeof indexedDB === 'object' && indexedDB !== null;
  } catch {
    return false;
  }
}

/** This browser's environment. */
export function readEnvironment(): Environment {
  return {
    userAgent: navigator.userAgent,
    secure: isSecureContext,
    subtle: typeof crypto === 'object' && typeof crypto.subtle === 'object',
    storage: hasStorage(),
    locks: 'locks' in navigator,
    standalone: matchMedia('(display-mode: standalone)').matches || ('standalone' in navigator && navigator.standalone === true),
    hasGlobal: (name) => name in window,
  };
}
