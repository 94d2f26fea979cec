/*
 * A seat in Node: one JSON object a line on standard input, one a line back. `node node.ts ours|ts-mls`.
 * What goes wrong is answered by `{"error": <text>}`.
 */
import { createInterface } from 'node:readline';
import { type Implementation, type Request, Seat } from './seat.ts';

const member: Implementation =
  process.argv[2] === 'ts-mls' ? new (await import('./peer.ts')).Peer() : new (await import('./ours.ts')).Ours();

const clock = {
  wall: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  rest: () => new Promise<void>(setImmediate),
};
const seat = new Seat(member, clock, `Node ${process.versions.node}`);

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await seat
    .ask(JSON.parse(line) as Request)
    .catch((error: unknown) => ({ error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
