/*
 * Arithmetic of full binary trees in an array, leaves at even places (RFC 9420, appendix C).
 * `n` is the number of leaves, always a power of two. Node indices are numbers below 2^32, where the bit
 * operators of the language would go wrong from 2^31 on: trees here are far smaller, which `MAX_LEAVES` keeps so.
 */

/** 2^20 leaves: a ratchet tree of that size takes hundreds of megabytes. */
export const MAX_LEAVES = 2 ** 20;

export function level(node: number): number {
  let k = 0;
  while (((node >> k) & 1) === 1) k++;
  return k;
}

export const width = (n: number): number => 2 * n - 1;
export const root = (n: number): number => n - 1;
export const leafNode = (leaf: number): number => 2 * leaf;
export const isLeaf = (node: number): boolean => (node & 1) === 0;

/** The smallest power of two that is at least `leaves`. */
export function fullSize(leaves: number): number {
  let n = 1;
  while (n < leaves) n *= 2;
  return n;
}

/** Of a parent node. */
export function left(node: number): number {
  return node ^ (1 << (level(node) - 1));
}

/** Of a parent node. */
export function right(node: number): number {
  return node ^ (3 << (level(node) - 1));
}

/** Of any node but the root. */
export function parent(node: number): number {
  const k = level(node);
  return (node | (1 << k)) & ~(1 << (k + 1));
}

/** Of any node but the root. */
export function sibling(node: number): number {
  const above = parent(node);
  return node < above ? right(above) : left(above);
}

/** From the node's parent up to the root; empty for the root. */
export function directPath(node: number, n: number): number[] {
  const path: number[] = [];
  for (let x = node; x !== root(n); ) path.push((x = parent(x)));
  return path;
}

/** Whether `node` is `ancestor` or below it. */
export function isWithin(node: number, ancestor: number): boolean {
  return node >= firstBelow(ancestor) && node <= lastBelow(ancestor);
}

/** The leftmost leaf's node below a node. */
export function firstBelow(node: number): number {
  return node - (1 << level(node)) + 1;
}

/** The rightmost leaf's node below a node. */
export function lastBelow(node: number): number {
  return node + (1 << level(node)) - 1;
}

/** The lowest node that has both below it. */
export function commonAncestor(a: number, b: number): number {
  let x = a;
  while (!isWithin(b, x)) x = parent(x);
  return x;
}
