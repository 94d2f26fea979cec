import { afterEach, beforeEach, inject } from 'vitest';
import { install } from './switch.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The site that is off; empty: none. */
    readonly mutant: string;
  }
  interface TaskMeta {
    sites?: string[];
  }
}

const switched = install();
switched.active = inject('mutant') || null;

let failed = false;

beforeEach(({ skip, onTestFailed }) => {
  // One is enough.
  if (failed && switched.active !== null) skip();
  onTestFailed(() => {
    failed = true;
  });
  switched.seen.clear();
});

afterEach(({ task }) => {
  task.meta.sites = [...switched.seen];
});
