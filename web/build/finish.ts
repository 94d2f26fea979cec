/**
 * Last steps of a build, in this order: Vite's manifest moves beside the output as `<output>-manifest.json`, as nobody
 * needs it served; the service worker is told every file's hash; all is compressed.
 */
import { createHash } from 'node:crypto';
import { renameSync, rmdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build, type Plugin, type ResolvedConfig } from 'vite';

import { compressFolder } from './compress.ts';
import { hashFile, listFiles } from './files.ts';

function moveManifest(folder: string): void {
  const made = join(folder, '.vite');
  renameSync(join(made, 'manifest.json'), `${folder}-manifest.json`);
  rmdirSync(made);
}

async function buildServiceWorker(root: string, folder: string): Promise<void> {
  const hashes = Object.fromEntries(listFiles(folder).map((name) => [name, hashFile(join(folder, name))]));
  const version = createHash('sha256').update(JSON.stringify(hashes)).digest('hex').slice(0, 16);
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define: { __FILES__: JSON.stringify(hashes), __VERSION__: JSON.stringify(version) },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      rolldownOptions: {
        input: join(root, 'src/worker/service.ts'),
        output: { format: 'iife', entryFileNames: 'sw.js' },
      },
    },
  });
}

export function finish(): Plugin {
  let config: ResolvedConfig;
  let written = false;
  return {
    name: 'polynya-finish',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    writeBundle() {
      written = true;
    },
    async closeBundle() {
      // Also called after a failed build, whose own error must be the one that is seen.
      if (!written) return;
      const folder = resolve(config.root, config.build.outDir);
      moveManifest(folder);
      await buildServiceWorker(config.root, folder);
      compressFolder(folder);
    },
  };
}
