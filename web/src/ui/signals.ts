/**
 * Values that screens follow: a component that read `.value` while it was drawn is drawn again when that changes.
 *
 * The whole of what the interface needs, in a fifth of the bytes of a library: every byte here stands before the first message.
 */
import { options, type Component, type VNode } from 'preact';
import { useMemo } from 'preact/hooks';

interface Reader {
  /** Something that was read has changed. */
  wake(): void;
  readonly read: Set<Set<Reader>>;
}

let current: Reader | null = null;

function track(readers: Set<Reader>): void {
  if (!current) return;
  readers.add(current);
  current.read.add(readers);
}

function release(reader: Reader): void {
  for (const readers of reader.read) readers.delete(reader);
  reader.read.clear();
}

export interface ReadonlySignal<T> {
  readonly value: T;
  /** The value, without following it. */
  peek(): T;
}

export interface Signal<T> extends ReadonlySignal<T> {
  value: T;
}

export function signal<T>(initial: T): Signal<T> {
  let now = initial;
  const readers = new Set<Reader>();
  return {
    get value() {
      track(readers);
      return now;
    },
    set value(next) {
      if (Object.is(now, next)) return;
      now = next;
      for (const reader of [...readers]) reader.wake();
    },
    peek: () => now,
  };
}

/** A value made of others; made anew only when one of them has changed and somebody looks. */
export function computed<T>(make: () => T): ReadonlySignal<T> {
  let now: T;
  let fresh = false;
  const readers = new Set<Reader>();
  const renew = (): T => {
    if (fresh) return now;
    const outer = current;
    current = self;
    try {
      now = make();
    } finally {
      current = outer;
    }
    fresh = true;
    return now;
  };
  const self: Reader = {
    read: new Set(),
    wake() {
      const before = now;
      fresh = false;
      release(self);
      if (readers.size > 0 && !Object.is(before, renew())) for (const reader of [...readers]) reader.wake();
    },
  };
  return {
    get value() {
      track(readers);
      return renew();
    },
    peek: renew,
  };
}

export function useSignal<T>(initial: T): Signal<T> {
  return useMemo(() => signal(initial), []);
}

/** `make` is the one of the first drawing: it may use signals and what never changes. */
export function useComputed<T>(make: () => T): ReadonlySignal<T> {
  return useMemo(() => computed(make), []);
}

/** Preact's own hooks for extensions, under the short names that all of them use. */
const hooks = options as unknown as Record<'__r' | 'diffed' | 'unmount', ((node: VNode) => void) | undefined>;
const componentOf = (node: VNode): Component | null | undefined => (node as { __c?: Component | null }).__c;
const drawn = new WeakMap<Component, Reader>();

function hook(name: keyof typeof hooks, run: (component: Component) => void): void {
  const before = hooks[name];
  hooks[name] = (node) => {
    const component = componentOf(node);
    if (component) run(component);
    before?.(node);
  };
}

hook('__r', (component) => {
  let reader = drawn.get(component);
  if (reader) release(reader);
  else {
    reader = { wake: () => component.setState({}), read: new Set() };
    drawn.set(component, reader);
  }
  current = reader;
});
hook('diffed', () => (current = null));
hook('unmount', (component) => {
  const reader = drawn.get(component);
  if (reader) release(reader);
});
