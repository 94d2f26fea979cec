/** The bundler's ten lines of runtime go into the chunks that use them: alone they are a request more, in the way of the client. */
import type { Plugin } from 'vite';

const NAME = 'rolldown-runtime';
const CODE = /^(.*)export\{([^}]*)\};?\s*$/s;
const IMPORT = new RegExp(String.raw`import\{([^}]*)\}from"\./${NAME}-[\w-]+\.js";`, 'g');

/** `a as b,c` to [['a', 'b'], ['c', 'c']]. */
function pairs(list: string): [string, string][] {
  return list.split(',').map((each) => {
    const [from = '', to = from] = each.trim().split(' as ');
    return [from, to];
  });
}

/** `code` with the runtime in place of its import. Names are the minifier's own. */
export function inlineRuntime(code: string, runtime: string): string {
  const [, body = '', list = ''] = CODE.exec(runtime) ?? [];
  const exported = new Map(pairs(list).map(([local, name]) => [name, local]));
  return code.replace(IMPORT, (_, wanted: string) => {
    const names = pairs(wanted);
    const results = names.map(([name]) => {
      const local = exported.get(name);
      if (!local) throw new Error(`the bundler's runtime has no ${name}`);
      return `${name}:${local}`;
    });
    return `const{${names.map(([name, local]) => `${name}:${local}`).join(',')}}=(()=>{${body}return{${results.join(',')}}})();`;
  });
}

export function runtime(): Plugin {
  return {
    name: 'polynya-runtime',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const found = Object.values(bundle).find((chunk) => chunk.type === 'chunk' && chunk.name === NAME);
      if (found?.type !== 'chunk') return;
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk' || !chunk.imports.includes(found.fileName)) continue;
        chunk.code = inlineRuntime(chunk.code, found.code);
        chunk.imports = chunk.imports.filter((name) => name !== found.fileName);
        if (chunk.code.includes(NAME)) this.error(`${chunk.fileName}: the bundler imports its runtime in another way`);
      }
      delete bundle[found.fileName];
    },
  };
}
