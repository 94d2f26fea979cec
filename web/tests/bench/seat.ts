/*
 * One member of one group, asked from outside to do one thing at a time, each timed here. The same for every
 * implementation, in Node and in a browser; what an implementation can is behind `Implementation`.
 */
import { hex, unhex, utf8 } from '../../src/crypto/bytes.ts';

/** A member: `start` makes its key package; what `commit` makes is never merged; all messages are MLSMessages. */
export interface Implementation {
  start(suite: number, identity: Uint8Array, lifetime: readonly [number, number]): Promise<Uint8Array>;
  join(welcome: Uint8Array): Promise<void>;
  commit(): Promise<Uint8Array>;
  process(message: Uint8Array): Promise<void>;
  encrypt(data: Uint8Array): Promise<Uint8Array>;
  decrypt(message: Uint8Array): Promise<Uint8Array>;
  /** 32 bytes of the exporter for the label "bench" and no context. */
  exported(): Promise<Uint8Array>;
  /** Forgets the group. */
  leave(): void;
}

export interface Request {
  readonly op: 'start' | 'join' | 'commit' | 'process' | 'encrypt' | 'decrypt' | 'export' | 'leave' | 'about';
  readonly suite?: number;
  readonly identity?: string;
  readonly lifetime?: readonly [number, number];
  /** For `join`, `process`, `decrypt`: what to take; for `encrypt`: the texts. */
  readonly data?: readonly string[];
}

/** `wall` and `cpu` (null where it cannot be read) in ms, one for each of the request's `data`, and what came of it. */
export interface Answer {
  readonly wall: readonly number[];
  readonly cpu: readonly number[] | null;
  readonly data: readonly string[];
}

export interface Clock {
  /** ms. */
  wall(): number;
  /** ms of all threads, or null. */
  cpu(): number | null;
  /** Lets whatever else waits have its turn, outside of what is timed. */
  rest(): Promise<void>;
}

export class Seat {
  readonly #member: Implementation;
  readonly #clock: Clock;
  readonly #about: string;

  constructor(member: Implementation, clock: Clock, about: string) {
    this.#member = member;
    this.#clock = clock;
    this.#about = about;
  }

  async ask(request: Request): Promise<Answer> {
    const { op, data = [''] } = request;
    const given = data.map(unhex);
    const [wall, cpu, out]: [number[], number[], string[]] = [[], [], []];
    const act = this.#act(request);
    for (const each of given) {
      await this.#clock.rest();
      const [before, cpuBefore] = [this.#clock.wall(), this.#clock.cpu()];
      const made = await act(each);
      const [after, cpuAfter] = [this.#clock.wall(), this.#clock.cpu()];
      wall.push(after - before);
      if (cpuBefore !== null && cpuAfter !== null) cpu.push(cpuAfter - cpuBefore);
      out.push(made === undefined ? '' : hex(made));
    }
    if (op === 'about') return { wall, cpu: null, data: [hex(utf8(this.#about))] };
    return { wall, cpu: cpu.length === wall.length ? cpu : null, data: out };
  }

  #act({ op, suite, identity, lifetime }: Request): (data: Uint8Array) => Promise<Uint8Array | void> {
    const member = this.#member;
    switch (op) {
      case 'start':
        return () => member.start(suite!, unhex(identity!), lifetime!);
      case 'join':
        return (data) => member.join(data);
      case 'commit':
        return () => member.commit();
      case 'process':
        return (data) => member.process(data);
      case 'encrypt':
        return (data) => member.encrypt(data);
      case 'decrypt':
        return (data) => member.decrypt(data);
      case 'export':
        return () => member.exported();
      case 'leave':
        return async () => member.leave();
      case 'about':
        return async () => undefined;
    }
  }
}
