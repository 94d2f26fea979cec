/** Builds the interface with the demonstration client in place of the real one. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

import { chunks } from '../../build/chunks.ts';
import { jsx } from '../../build/jsx.ts';
import { lazy } from '../../build/lazy.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The one seam between interface and client. */
const demo: Plugin = {
  name: 'demo-client',
  enforce: 'pre',
  resolveId: (source) => (source.endsWith('/client/bootstrap.ts') ? here('./demo_client.ts') : null),
};

export default defineConfig({
  root: here('../..'),
  base: './',
  plugins: [demo, jsx(), lazy()],
  // No service worker here: it would serve yesterday's build to today's test.
  define: { 'import.meta.env.PROD': 'false' },
  build: { target: 'es2022', outDir: process.env['DEMO_OUT'] ?? here('../../../build/demo'), emptyOutDir: true, modulePreload: false, assetsInlineLimit: 0, reportCompressedSize: false, rolldownOptions: { output: { codeSplitting: chunks } } },
});
