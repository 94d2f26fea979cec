import { defineConfig } from 'vite';

import { chunks } from './build/chunks.ts';
import { finish } from './build/finish.ts';
import { jsx } from './build/jsx.ts';
import { lazy } from './build/lazy.ts';
import { runtime } from './build/runtime.ts';

export default defineConfig({
  // The app may live below a secret path, so every address in it is relative.
  base: './',
  plugins: [jsx(), lazy(), runtime(), finish()],
  build: {
    target: 'es2022',
    manifest: true,
    modulePreload: false,
    // A data: URL in a script would be downloaded before anybody needs it.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: chunks } },
  },
});
