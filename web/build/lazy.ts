/**
 * Loads lazy parts by the browser's own `import()`. Vite would wrap each one, to fetch styles and scripts beside it: that
 * is 0.8 KB in the first script for nothing here, as styles of lazy parts are inside their scripts.
 */
import type { Plugin } from 'vite';

const WRAPS = 'native:import-analysis-build';

/** Fails where a lazy part brings styles, which nothing would load: such a part calls `addStyles`. */
export function lazy(): Plugin {
  return {
    name: 'polynya-lazy',
    apply: 'build',
    configResolved({ plugins }) {
      const at = plugins.findIndex((plugin) => plugin.name === WRAPS);
      if (at < 0) throw new Error(`Vite has no plugin ${WRAPS} any more: find out what wraps lazy imports now, or leave them wrapped`);
      (plugins as Plugin[]).splice(at, 1);
    },
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk' && chunk.name !== 'first' && chunk.viteMetadata?.importedCss.size) this.error(`${chunk.fileName}: styles of a lazy part need addStyles`);
      }
    },
  };
}
