/** Bundles `page.ts` for a browser into the folder that BENCH_OUT names. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  build: {
    target: 'es2022',
    outDir: process.env['BENCH_OUT']!,
    emptyOutDir: true,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
