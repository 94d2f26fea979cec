/** Steps of the build that change what others made. */
import { expect, test } from 'vitest';
import { inlineRuntime } from '../../build/runtime.ts';

const RUNTIME = 'var e=()=>1,t=(n)=>n+1;export{t as n,e as t};';

function run(code: string): unknown {
  return new Function(`${code.replace('export{r};', '')};return r`)();
}

test('the bundler’s runtime takes the place of its import, whatever the names', () => {
  const code = inlineRuntime('import{n as a,t as b}from"./rolldown-runtime-Ab_c-12.js";const e=20,t=b(),r=a(e)+t;export{r};', RUNTIME);
  expect(code).not.toContain('import');
  expect(run(code)).toBe(22);
});

test('other imports stay', () => {
  const code = 'import{n as a}from"./first-Abc123.js";const r=a;';
  expect(inlineRuntime(code, RUNTIME)).toBe(code);
});

test('a name that the runtime lacks is an error', () => {
  expect(() => inlineRuntime('import{x as a}from"./rolldown-runtime-Abc.js";', RUNTIME)).toThrow('no x');
});
