/** Lists that are walked with the arrow keys. */

/** Arrow keys, Home and End move the focus among the matching elements inside. */
export function roving(selector: string) {
  return (event: KeyboardEvent & { currentTarget: EventTarget | null }): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || !(event.currentTarget instanceof Element)) return;
    const items = [...event.currentTarget.querySelectorAll<HTMLElement>(selector)];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    event.preventDefault();
    items[Math.min(Math.max(at + step, 0), items.length - 1)]?.focus();
  };
}
