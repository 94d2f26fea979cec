/** Builds the page of tests/ui_browser/test_shelf.py: the device's store, as it is in the app, and nothing else. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: './',
  build: { target: 'es2022', outDir: process.env['PAGE_OUT'] ?? here('../../../../build/shelf'), emptyOutDir: true, reportCompressedSize: false, rolldownOptions: { input: here('./page.html') } },
});
