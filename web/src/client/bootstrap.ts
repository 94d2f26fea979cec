/** From an opened page to a client: who holds the store, whether there is an identity, what the link says. */
import { httpsCarrier } from '../carriers/https.ts';
import { webSocketCarrier } from '../carriers/websocket.ts';
import { Core } from '../core/core.ts';
import { PolynyaError } from '../errors.ts';
import { BrowserClient } from './client.ts';
import { ClientError } from './errors.ts';
import { takeOver, tryHold } from './lock.ts';
import { loadActs } from './loading.ts';
import { Loop } from './loop.ts';
import type { Place } from './place.ts';
import { Provision } from './provision.ts';
import { draftsOf, lookOf } from './settings.ts';
import { Storage } from './storage.ts';
import { systemClock, systemRandom } from './system.ts';
import type { Bootstrap, BootstrapFunction, Client } from './types.ts';

/** ms after the start: the page has shown what there is. */
const QUIET = 15_000;
/** ms: who came by an invite waits for an answer, and may close the page before it comes. */
const WAITING = 120_000;

const carriers = (url: string) => [webSocketCarrier(url), httpsCarrier(url)];

export const bootstrap: BootstrapFunction = async ({ base }) => {
  const address = base.replace(/\/+$/, '');
  const name = `polynya ${address}`;
  try {
    const held = await tryHold(name);
    if (held) return await start({ name, base: address, held });
    return { kind: 'elsewhere', takeOver: async () => start({ name, base: address, held: await takeOver(name) }) };
  } catch (error) {
    return failed(error);
  }
};

function failed(error: unknown): Bootstrap {
  if (!(error instanceof PolynyaError)) console.error('The start failed:', error);
  return { kind: 'failed', code: error instanceof PolynyaError ? error.code : 'store-failed' };
}

async function start(place: Place): Promise<Bootstrap> {
  try {
    const rest = new Provision(loadActs, systemRandom);
    addEventListener('online', () => rest.retryNow());
    const storage = await Storage.open(place.name);
    const { core: rows, own } = await storage.load();
    const core = await rest.run(() => Core.load(rows));
    const client = new BrowserClient(place, rest, lookOf(own), draftsOf(own));
    const loop = new Loop(storage, core, systemRandom, systemClock, carriers, client, rest);
    client.loop = loop;
    await loop.start();
    if (core.hasIdentity()) return { kind: 'ready', client: watchNetwork(client) };
    return { kind: 'new', register: (name, link) => register(client, name, link) };
  } catch (error) {
    place.held.release();
    return failed(error);
  }
}

async function register(client: BrowserClient, name: string, link: string | null): Promise<Client> {
  if (link === null) throw new ClientError('not-relay-link');
  const { address } = await client.readLink(link);
  await client.loop.handle({ type: 'CreateIdentity', name, relay: address });
  // Best effort: a browser that says no may clear the store when the disk is full; the settings show which it is.
  void navigator.storage?.persist?.();
  return watchNetwork(client);
}

/** The browser knows when a network came back; waiting out a pause then would be waiting for nothing. */
function watchNetwork(client: BrowserClient): Client {
  addEventListener('online', () => client.retryNow());
  client.resume();
  const quiet = client.loop.core.conversations().length ? QUIET : WAITING;
  setTimeout(() => client.acts().catch(() => undefined), quiet);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && client.link().kind === 'offline') client.retryNow();
  });
  return client;
}
