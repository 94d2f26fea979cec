/** Loads the rest of the app's code. */

/** Under this address, as browsers remember that a file could not be had. */
let address: string | undefined;
let attempts = 0;

/**
 * The rest. A browser that failed to fetch a module gives the same failure for its address ever after (and names the
 * address in the error), so that the next attempt is for another address of the same file.
 */
export async function loadActs(): Promise<typeof import('./acts.ts')> {
  try {
    return await (address ? (import(/* @vite-ignore */ address) as Promise<typeof import('./acts.ts')>) : import('./acts.ts'));
  } catch (error) {
    const [failed] = /https?:[^?\s]+\.js/.exec(String(error)) ?? [];
    if (failed) address = `${failed}?${++attempts}`;
    throw error;
  }
}
