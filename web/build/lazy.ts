/** Loads lazy parts by the browser's own `import()`: Vite's helper, which fetches styles beside them, is 0.6 KB for nothing here. */
import type { Plugin } from 'vite';

const HELPER = '\0vite/preload-helper.js';

/** Fails where a lazy part brings styles, which nothing would load: such a part calls `addStyles`. */
export function lazy(): Plugin {
  return {
    name: 'polynya-lazy',
    apply: 'build',
    enforce: 'pre',
    load: (id) => (id === HELPER ? 'export const __vitePreload = (load) => load();' : null),
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk' && chunk.name !== 'first' && chunk.viteMetadata?.importedCss.size) this.error(`${chunk.fileName}: styles of a lazy part need addStyles`);
      }
    },
  };
}
