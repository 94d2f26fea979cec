/** Views are made anew at each event; what did not change keeps its old object, so that nothing of it is drawn again. */

const signature = (view: object): string => JSON.stringify(view, (key, value: unknown) => (key === 'preview' ? undefined : value));

/** `after`, with the objects of `before` wherever they say the same. */
export function reuse<T extends { id: string }>(before: readonly T[], after: readonly T[]): T[] {
  const known = new Map(before.map((view) => [view.id, view]));
  return after.map((view) => {
    const old = known.get(view.id);
    return old && signature(old) === signature(view) ? old : view;
  });
}
