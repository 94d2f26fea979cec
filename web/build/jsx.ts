/** JSX becomes calls of Preact's own `h`: its newer runtime is 100 bytes more in the first script. */
import type { Plugin } from 'vite';

export function jsx(): Plugin {
  return {
    name: 'polynya-jsx',
    enforce: 'pre',
    config: () => ({ oxc: { jsx: { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment' } } }),
    transform: (code, id) => (id.endsWith('.tsx') ? `import { h, Fragment } from 'preact';${code}` : null),
  };
}
