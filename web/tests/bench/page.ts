/* A seat in a page: `bench(request)` works until `answer`, null before, is what `node.ts` would have answered. */
import { Ours } from './ours.ts';
import { type Answer, type Request, Seat } from './seat.ts';

type Told = Answer | { readonly error: string };

const channel = new MessageChannel();
const clock = {
  wall: () => performance.now(),
  cpu: () => null,
  rest: () =>
    new Promise<void>((resolve) => {
      channel.port1.onmessage = () => resolve();
      channel.port2.postMessage(null);
    }),
};
const seat = new Seat(new Ours(), clock, navigator.userAgent);
const shared = globalThis as typeof globalThis & { answer: Told | null; bench(request: Request): Promise<void> };

shared.answer = null;
shared.bench = async (request) => {
  shared.answer = null;
  shared.answer = await seat
    .ask(request)
    .catch((error: unknown) => ({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }));
};
