import { readFileSync } from 'node:fs';
import { type ESTree, parseSync } from 'vite';
import { NAME } from './switch.ts';

/*
 * What counts as a check in TypeScript source, and the rewriting that lets each be switched off. Kinds of sites and their
 * names are those of `scripts/mutation/sites.py`; `ensure(condition, rule)` is a site of the kind `raise`.
 */

export interface Site {
  readonly name: string;
  readonly kind: 'raise' | 'refuse' | 'part' | 'verdict';
  readonly label: string;
  readonly file: string;
  readonly function: string;
  readonly line: number;
  /** The label is known when the code runs: the name is a beginning of the names that the record will hold. */
  readonly open: boolean;
}

interface Scope {
  readonly errors: ReadonlySet<string>;
  readonly refusals: boolean;
  /** Whether to give up with null is to refuse. */
  readonly nothing: boolean;
  readonly verdicts: boolean;
}

function scope(errors: readonly string[], others: Partial<Scope> = {}): Scope {
  return { errors: new Set(errors), refusals: false, nothing: false, verdicts: true, ...others };
}

const SCOPES: Readonly<Record<string, Scope>> = {
  crypto: scope(['CryptoError']),
  wire: scope(['WireError', 'LinkError', 'CryptoError', 'malformed']),
  mls: scope(['MlsError', 'malformed']),
  core: scope([], { refusals: true, verdicts: false }),
};
const JUDGING = scope([], { refusals: true, nothing: true });
const NAMED = JSON.parse(
  readFileSync(new URL('../../../scripts/mutation/scope.json', import.meta.url), 'utf8'),
) as { readonly outside: readonly string[]; readonly judging: readonly string[] };

/** The scope of a file below `src`, such as `mls/checks.ts`; modules by name are explained in `sites.py`. */
export function scopeOf(file: string): Scope | null {
  const module = file.slice(0, -'.ts'.length);
  // `ensure` throws for all who call it, and they are the sites.
  if (NAMED.outside.includes(module) || module.endsWith('/errors')) return null;
  return NAMED.judging.includes(module) ? JUDGING : (SCOPES[file.slice(0, file.indexOf('/'))] ?? null);
}

type Node = ESTree.Node & { readonly start: number; readonly end: number };

interface Wrap {
  readonly start: number;
  readonly end: number;
  readonly before: string;
  readonly after: string;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const TELLS = new Set(['count', 'misbehaves']);

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

function children(node: Node): Node[] {
  return Object.values(node).flatMap((value: unknown) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}

type Loose = Node & { readonly [field: string]: unknown };

class Rewriter {
  readonly sites: Site[] = [];
  readonly #wraps: Wrap[] = [];
  readonly #names = new Map<string, number>();
  readonly #stack: string[] = [];
  readonly #returns: ('boolean' | 'promise' | 'nullable' | '')[] = [];
  readonly #source: string;
  readonly #file: string;
  readonly #scope: Scope;

  constructor(source: string, file: string, scope: Scope) {
    this.#source = source;
    this.#file = file;
    this.#scope = scope;
  }

  run(): string {
    const { program, errors } = parseSync(this.#file, this.#source, { lang: 'ts' });
    if (errors.length > 0) throw new Error(`${this.#file}: ${errors[0]!.message}`);
    this.#walk(program as unknown as Loose);
    return this.#render();
  }

  #text(node: Node): string {
    return this.#source.slice(node.start, node.end);
  }

  #render(): string {
    const points: { at: number; rank: number; text: string }[] = [];
    for (const { start, end, before, after } of this.#wraps) {
      points.push({ at: end, rank: -start - 1, text: after }, { at: start, rank: this.#source.length - end + 1, text: before });
    }
    // At one place what ends comes first, the innermost ahead; then what begins, the outermost ahead.
    points.sort((a, b) => a.at - b.at || Math.sign(a.rank) - Math.sign(b.rank) || a.rank - b.rank);
    let text = '';
    let place = 0;
    for (const point of points) {
      text += this.#source.slice(place, point.at) + point.text;
      place = point.at;
    }
    return text + this.#source.slice(place);
  }

  #wrap(node: Node, before: string, after: string): void {
    this.#wraps.push({ start: node.start, end: node.end, before, after });
  }

  /** The name of a site as an expression. `label`: a string, or the expression that gives it. */
  #site(kind: Site['kind'], label: string | Node, node: Node, suffix = ''): string {
    const literal = typeof label === 'string' ? label : literalOf(label);
    const where = this.#stack.join('.') || '<module>';
    const base = `${this.#file}:${where} `;
    const key = base + (literal ?? this.#text(label as Node)) + suffix;
    const count = (this.#names.get(key) ?? 0) + 1;
    this.#names.set(key, count);
    const end = suffix + (count > 1 ? ` #${count}` : '');
    const line = this.#source.slice(0, node.start).split('\n').length;
    const name = literal === null ? base : base + literal + end;
    this.sites.push({ name, kind, label: literal ?? '', file: this.#file, function: where, line, open: literal === null });
    if (literal !== null) return JSON.stringify(name);
    return `${JSON.stringify(base)} + (${this.#text(label as Node)}) + ${JSON.stringify(end)}`;
  }

  // Walking

  #walk(node: Loose): void {
    const name = nameOf(node);
    if (name !== null) this.#stack.push(name);
    const isFunction = FUNCTIONS.has(node.type);
    if (isFunction) this.#returns.push(this.#returned(node));
    this.#visit(node);
    for (const child of children(node)) this.#walk(child as Loose);
    if (isFunction) this.#returns.pop();
    if (name !== null) this.#stack.pop();
  }

  #returned(node: Loose): 'boolean' | 'promise' | 'nullable' | '' {
    const type = isNode(node['returnType']) ? this.#text(node['returnType']).replace(/^:\s*/, '') : '';
    if (type === 'boolean') return 'boolean';
    if (type === 'Promise<boolean>') return 'promise';
    return /\| null>?$/.test(type) ? 'nullable' : '';
  }

  #visit(node: Loose): void {
    if (node.type === 'CallExpression') this.#ensure(node);
    else if (node.type === 'ThrowStatement') this.#throw(node);
    else if (node.type === 'IfStatement') this.#if(node);
    else if (node.type === 'ReturnStatement') this.#verdict(node['argument'] as Loose | null);
    else if (node.type === 'ArrowFunctionExpression' && (node['body'] as Node).type !== 'BlockStatement') {
      this.#verdict(node['body'] as Loose);
    }
  }

  #ensure(node: Loose): void {
    const [condition, label] = node['arguments'] as Loose[];
    if (lastName(node['callee'] as Loose) !== 'ensure' || condition === undefined || label === undefined) return;
    this.#parts(condition, label, false);
    this.#wrap(condition, `${NAME}.holds(${this.#site('raise', label, node)}, `, ')');
  }

  #throw(node: Loose): void {
    const label = this.#thrown(node);
    if (label !== null) this.#wrap(node, `{ if (${NAME}.raises(${this.#site('raise', label, node)})) `, ' }');
  }

  /** The label of a throw that is a check, or null. */
  #thrown(node: Loose): string | Node | null {
    let found: string | Node | null = null;
    const look = (one: Loose): void => {
      if (found !== null || FUNCTIONS.has(one.type)) return;
      if (one.type === 'NewExpression' || one.type === 'CallExpression') {
        const name = lastName(one['callee'] as Loose);
        if (this.#scope.errors.has(name)) {
          const first = (one['arguments'] as Loose[])[0];
          const literal = first === undefined ? null : literalOf(first);
          const isWords = literal !== null && literal.includes(' ');
          found = first === undefined || isWords || first.type === 'TemplateLiteral' ? name : first;
          return;
        }
      }
      for (const child of children(one)) look(child as Loose);
    };
    look(node);
    return found;
  }

  #if(node: Loose): void {
    const body = bodyOf(node['consequent'] as Loose);
    const last = body.at(-1);
    if (last === undefined) return;
    const test = node['test'] as Loose;
    if (last.type === 'ThrowStatement') {
      const label = this.#thrown(last);
      if (label !== null) this.#parts(test, label, true);
      return;
    }
    const label = this.#refusal(body, last);
    if (label === null) return;
    this.#parts(test, label, true);
    this.#wrap(test, `${NAME}.refuses(${this.#site('refuse', label, node)}, `, ')');
  }

  #refusal(body: readonly Loose[], last: Loose): string | null {
    if (!this.#scope.refusals || (last.type !== 'ReturnStatement' && last.type !== 'ContinueStatement')) return null;
    let told: string | null = null;
    const look = (one: Loose): void => {
      if (one.type === 'CallExpression' && TELLS.has(lastName(one['callee'] as Loose))) {
        const words = (one['arguments'] as Loose[]).map(literalOf).filter((word) => word !== null);
        told ??= words[0] ?? lastName(one['callee'] as Loose);
      }
      for (const child of children(one)) look(child as Loose);
    };
    body.forEach(look);
    if (told !== null) return told;
    const argument = last['argument'] as Loose | null | undefined;
    const givesUp = this.#scope.nothing && body.length === 1 && isNode(argument) && this.#text(argument) === 'null';
    return givesUp && this.#returns.at(-1) === 'nullable' ? 'null' : null;
  }

  #verdict(value: Loose | null): void {
    const returned = this.#returns.at(-1);
    if (value === null || !this.#scope.verdicts || (returned !== 'boolean' && returned !== 'promise')) return;
    const where = this.#stack.join('.');
    if (where === '') return;
    const base = `${this.#file}:${where}`;
    if (!this.sites.some((site) => site.name === `${base} = yes`)) {
      const line = this.#source.slice(0, value.start).split('\n').length;
      for (const word of ['yes', 'no']) {
        this.sites.push({ name: `${base} = ${word}`, kind: 'verdict', label: word, file: this.#file, function: where, line, open: false });
      }
    }
    // An operand that is a promise itself is always true; what it comes to is the function's own verdict.
    if (value.type === 'LogicalExpression') this.#operands(value, 'says', value['operator'] === '&&', returned === 'promise');
    this.#wrap(value, `${NAME}.${returned === 'boolean' ? 'verdict' : 'later'}(${JSON.stringify(base)}, `, ')');
  }

  // Parts of conditions

  #operands(node: Loose, label: string | Node, neutral: boolean, isPromise = false): void {
    const operator = node['operator'];
    for (const side of [node['left'] as Loose, node['right'] as Loose]) {
      const inner = side.type === 'ParenthesizedExpression' ? (side['expression'] as Loose) : side;
      if (inner.type === 'LogicalExpression' && inner['operator'] === operator) this.#operands(inner, label, neutral);
      else if (!isPromise || inner.type !== 'CallExpression') this.#part(side, label, neutral);
    }
  }

  #part(node: Loose, label: string | Node, neutral: boolean): void {
    const site = this.#site('part', label, node, ` / ${this.#text(node).replaceAll(/\s+/g, ' ').slice(0, 60)}`);
    this.#wrap(node, `${NAME}.part(${site}, `, `, ${neutral})`);
  }

  /** Lets each operand be dropped that makes a refusal likelier. `positive`: the test holding refuses. */
  #parts(test: Loose, label: string | Node, positive: boolean): void {
    if (test.type === 'ParenthesizedExpression') this.#parts(test['expression'] as Loose, label, positive);
    else if (test.type === 'UnaryExpression' && test['operator'] === '!') {
      this.#parts(test['argument'] as Loose, label, !positive);
    } else if (test.type === 'LogicalExpression' && test['operator'] !== '??') {
      const drops = (test['operator'] === '||') === positive;
      if (drops) this.#operands(test, label, !positive);
      for (const side of ['left', 'right'] as const) this.#nested(test[side] as Loose, test, label, positive);
    } else if (test.type === 'CallExpression' && ['some', 'every'].includes(lastName(test['callee'] as Loose))) {
      const inner = (test['arguments'] as Loose[])[0];
      if (inner?.type === 'ArrowFunctionExpression' && (inner['body'] as Node).type !== 'BlockStatement') {
        this.#parts(inner['body'] as Loose, label, positive);
      }
    }
  }

  #nested(side: Loose, parent: Loose, label: string | Node, positive: boolean): void {
    if (side.type === 'LogicalExpression' && side['operator'] === parent['operator']) {
      for (const one of ['left', 'right'] as const) this.#nested(side[one] as Loose, side, label, positive);
    } else this.#parts(side, label, positive);
  }
}

function literalOf(node: Node): string | null {
  const { type, value } = node as unknown as { type: string; value?: unknown };
  return type === 'Literal' && typeof value === 'string' ? value : null;
}

function lastName(node: Loose): string {
  if (node.type === 'Identifier') return String((node as unknown as { name: string }).name);
  return node.type === 'MemberExpression' ? lastName(node['property'] as Loose) : '';
}

function bodyOf(node: Loose): readonly Loose[] {
  return node.type === 'BlockStatement' ? (node['body'] as Loose[]) : [node];
}

/** The name that a function or class gives to what is inside it. */
function nameOf(node: Loose): string | null {
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') return lastName((node['id'] ?? node) as Loose);
  if (node.type === 'MethodDefinition' || node.type === 'PropertyDefinition') {
    return String((node['key'] as { name?: string }).name ?? '');
  }
  if (node.type === 'VariableDeclarator' && isNode(node['init']) && FUNCTIONS.has(node['init'].type)) {
    return lastName(node['id'] as Loose);
  }
  return null;
}

/** The module with its sites asking the switch, and the sites. `file`: below `src`. */
export function rewrite(source: string, file: string, scope: Scope): { code: string; sites: readonly Site[] } {
  const rewriter = new Rewriter(source, file, scope);
  return { code: rewriter.run(), sites: rewriter.sites };
}
