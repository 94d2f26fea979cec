import { describe, expect, test } from 'vitest';
import { linkKind } from '../../src/ui/arrival.ts';
import { findObstacle, inAppBrowser, type Environment } from '../../src/ui/environment.ts';

const CHROME = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)';
const good: Environment = { userAgent: CHROME, secure: true, subtle: true, storage: true, locks: true, standalone: false, hasGlobal: () => false };
const inApp = (userAgent: string, globals: string[] = [], standalone = false): string | null => inAppBrowser({ userAgent, standalone, hasGlobal: (name) => globals.includes(name) });

describe('built-in browsers of other apps are recognised', () => {
  test.each([
    ['Telegram', `${CHROME} Telegram-Android/11.4.2 (Samsung SM-A515F; Android 13; SDK 33; AVERAGE)`],
    ['WhatsApp', `${IPHONE} Mobile/15E148 WhatsApp/24.10`],
    ['Instagram', `${IPHONE} Mobile/15E148 Instagram 330.0.0.1 (iPhone14,5; iOS 18_5; en_GB)`],
    ['Facebook', `${IPHONE} Mobile/15E148 [FBAN/FBIOS;FBDV/iPhone14,5;FBMD/iPhone]`],
    ['Facebook', 'Mozilla/5.0 (Linux; Android 13; SM-A515F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/470.0]'],
    ['Messenger', 'Mozilla/5.0 (Linux; Android 13; SM-A515F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0 Mobile Safari/537.36 [FB_IAB/Orca-Android;FBAV/470.0]'],
    ['VK', 'Mozilla/5.0 (Linux; Android 13; SM-A515F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0 Mobile Safari/537.36 VKAndroidApp/8.90'],
    ['MAX', 'Mozilla/5.0 (Linux; Android 13; SM-A515F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0 Mobile Safari/537.36 OneMe/25.8'],
    ['WeChat', `${IPHONE} Mobile/15E148 MicroMessenger/8.0.50(0x1800322f) NetType/WIFI`],
    ['Line', `${IPHONE} Mobile/15E148 Safari Line/14.10.0`],
  ])('%s', (name, userAgent) => expect(inApp(userAgent)).toBe(name));

  test('by what they add to the page', () => {
    expect(inApp(CHROME, ['TelegramWebview'])).toBe('Telegram');
    expect(inApp(`${IPHONE} Version/18.5 Mobile/15E148 Safari/604.1`, ['TelegramWebviewProxy'])).toBe('Telegram');
    expect(inApp(CHROME, ['WeixinJSBridge'])).toBe('WeChat');
  });

  test('without a name, by their kind', () => {
    expect(inApp('Mozilla/5.0 (Linux; Android 13; SM-A515F; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0 Mobile Safari/537.36')).toBe('');
    expect(inApp(`${IPHONE} Mobile/15E148`)).toBe('');
  });
});

test.each([
  [CHROME],
  [`${IPHONE} Version/18.5 Mobile/15E148 Safari/604.1`],
  [`${IPHONE} CriOS/138.0 Mobile/15E148 Safari/604.1`],
  [`${IPHONE} FxiOS/139.0 Mobile/15E148 Safari/604.1`],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0 YaBrowser/25.6 Safari/537.36'],
  ['Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36'],
])('a real browser is none: %s', (userAgent) => expect(inApp(userAgent)).toBeNull());

test('an app on the home screen is none', () => expect(inApp(`${IPHONE} Mobile/15E148`, [], true)).toBeNull());

test('what is missing is named, the most telling first', () => {
  expect(findObstacle(good)).toBeNull();
  expect(findObstacle({ ...good, secure: false, subtle: false })?.reason).toBe('no-webcrypto');
  expect(findObstacle({ ...good, subtle: false })?.reason).toBe('no-webcrypto');
  expect(findObstacle({ ...good, storage: false })?.reason).toBe('no-storage');
  expect(findObstacle({ ...good, locks: false })?.reason).toBe('no-locks');
  expect(findObstacle({ ...good, secure: false, userAgent: `${CHROME} Instagram 1` })).toEqual({ reason: 'in-app-browser', detail: 'Instagram' });
});

test.each([
  ['#i=pQEBAlggAb3Ab3Ab3Ab3Ab3', 'invite'],
  ['i=pQEBAlggAb3Ab3Ab3Ab3Ab3', 'invite'],
  ['https://relay.example/secret/#r=pQEBAlggAb3Ab3Ab3Ab3Ab3', 'relay'],
  [' https://relay.example/secret/#i=pQEBAlggAb3\n Ab3Ab3Ab3Ab3 ', 'invite'],
  ['https://relay.example/secret/%23i=pQEBAlggAb3Ab3Ab3Ab3Ab3', 'invite'],
  ['https://relay.example/secret/', null],
  ['#x=pQEBAlggAb3Ab3Ab3Ab3Ab3', null],
  ['', null],
])('%j is a link of kind %s', (link, kind) => expect(linkKind(link)).toBe(kind));
