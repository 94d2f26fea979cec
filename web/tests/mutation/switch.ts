/*
 * What instrumented code asks while it runs. One site at most is off; sites that would have gone another way, were they
 * off, are noted in `seen`. The functions answer as the Python module of the same name does.
 */

export interface Switch {
  active: string | null;
  seen: Set<string>;
  /** Whether to throw what is about to be thrown. */
  raises(site: string): boolean;
  /** The condition that must hold. */
  holds<T>(site: string, condition: T): T | boolean;
  /** The condition under which something is refused. */
  refuses<T>(site: string, condition: T): T | boolean;
  /** One operand of a condition; off, it has no say. */
  part<T>(site: string, value: T, neutral: boolean): T | boolean;
  /** What a function that answers yes or no returns; off, it always says yes, or always no. */
  verdict(site: string, value: boolean): boolean;
  later(site: string, value: boolean | Promise<boolean>): Promise<boolean>;
}

export const NAME = '__mutation__';

function off(site: string): boolean {
  self.seen.add(site);
  return site === self.active;
}

const self: Switch = {
  active: null,
  seen: new Set(),
  raises: (site) => !off(site),
  holds: (site, condition) => (condition ? condition : off(site) ? true : condition),
  refuses: (site, condition) => (condition && off(site) ? false : condition),
  part: (site, value, neutral) => (Boolean(value) !== neutral && off(site) ? neutral : value),
  verdict: (site, value) => (off(`${site} = ${value ? 'no' : 'yes'}`) ? !value : value),
  later: async (site, value) => self.verdict(site, await value),
};

/** The one switch of this thread, which instrumented modules find by its name. */
export function install(): Switch {
  (globalThis as unknown as Record<string, Switch>)[NAME] ??= self;
  return (globalThis as unknown as Record<string, Switch>)[NAME]!;
}
