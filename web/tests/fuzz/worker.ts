/*
 * Tries bytes on our MLS for a fuzzer in another language, thousands a round trip: frames on standard input, one frame
 * back for each. A frame is its length (4 bytes, big-endian) and that much. The first holds the scenes as JSON and is
 * answered by what shows that they were built right; all others hold inputs, each
 * `u8 target || u8 scene || u32 length || bytes`, and are answered by one line each: a verdict.
 * Run by a Node that strips types and lets programs collect garbage: `node --expose-gc worker.ts`.
 */
import { hex } from '../../src/crypto/bytes.ts';
import { encodeGroup } from '../../src/mls/changes.ts';
import { type Description, authenticatorOf, build } from './scenes.ts';
import { type Scene, TARGETS, verdict } from './targets.ts';

/** Processor time for each 4 KB begun, and bytes allocated at once: as in Python. */
const MILLISECONDS = 1000;
const BYTES = 100 * 2 ** 20;
const RECORD = 4096;
/** Inputs at a time: WebCrypto works beside the program. */
const TOGETHER = 16;
/** One in so many has its memory measured, which takes a collection of garbage: 3 ms. */
const MEASURED = 1024;

const NAMES = Object.keys(TARGETS);
const collect = (globalThis as unknown as { gc: () => void }).gc;

interface Input {
  readonly target: string;
  readonly scene: Scene;
  readonly data: Uint8Array;
}

let scenes: Scene[] = [];
let states: string[] = [];
let count = 0;

const records = (data: Uint8Array): number => 1 + Math.floor(data.length / (RECORD + 1));

function used(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return [value, (user + system) / 1000];
}

async function alone({ target, scene, data }: Input): Promise<string> {
  const [result, spent] = await timed(() => verdict(target, scene, data));
  if (spent <= MILLISECONDS * records(data)) return result;
  return `fault ${(spent / 1000).toFixed(1)} s for ${data.length} bytes`;
}

async function measured({ target, scene, data }: Input): Promise<string> {
  collect();
  const before = used();
  const result = await verdict(target, scene, data);
  const grown = used() - before;
  if (grown <= BYTES * records(data)) return result;
  return `fault ${grown >> 20} MB for ${data.length} bytes`;
}

/** A few inputs at once; whether one of them took too long is only asked where all of them together did. */
async function together(inputs: readonly Input[]): Promise<string[]> {
  const work = (): Promise<string[]> =>
    Promise.all(inputs.map(({ target, scene, data }) => verdict(target, scene, data)));
  const [results, spent] = await timed(work);
  if (spent > MILLISECONDS) {
    for (const [place, input] of inputs.entries()) if (!results[place]!.startsWith('fault')) results[place] = await alone(input);
  }
  return results;
}

function* inputsOf(frame: Buffer): Generator<Input> {
  for (let at = 0; at < frame.length; ) {
    const length = frame.readUInt32BE(at + 2);
    // A copy: nothing that a target keeps may hold the whole frame.
    const data = new Uint8Array(frame.subarray(at + 6, at + 6 + length));
    yield { target: NAMES[frame[at]!]!, scene: scenes[frame[at + 1]!]!, data };
    at += 6 + length;
  }
}

/** Whether every scene's group is still what it was: refused bytes change nothing. */
function unchanged(): boolean {
  return scenes.every(({ group }, place) => hex(encodeGroup(group)) === states[place]);
}

async function answer(frame: Buffer): Promise<string> {
  const inputs = [...inputsOf(frame)];
  const results: string[] = [];
  for (let at = 0; at < inputs.length; at += TOGETHER) {
    const some = inputs.slice(at, at + TOGETHER);
    count += some.length;
    if (count % MEASURED < TOGETHER) {
      const [first, ...rest] = some;
      results.push(await measured(first!), ...(await together(rest)));
    } else results.push(...(await together(some)));
  }
  if (unchanged()) return results.join('\n');
  return results.map((result) => `fault a group changed beside: ${result}`).join('\n');
}

async function begin(frame: Buffer): Promise<string> {
  scenes = await Promise.all((JSON.parse(frame.toString()) as Description[]).map(build));
  states = scenes.map(({ group }) => hex(encodeGroup(group)));
  return JSON.stringify({ names: NAMES, authenticators: scenes.map(authenticatorOf), states });
}

async function* frames(): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      yield rest.subarray(4, end);
      rest = rest.subarray(end);
    }
  }
}

for await (const frame of frames()) {
  const said = Buffer.from(scenes.length === 0 ? await begin(frame) : await answer(frame));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(said.length);
  process.stdout.write(Buffer.concat([head, said]));
}
