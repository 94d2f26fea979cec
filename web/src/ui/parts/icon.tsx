/** Line icons, 24 x 24, drawn in the colour of the text. */
import type { LaterIcon } from './later_icons.ts';

export type IconName = FirstIcon | LaterIcon;

const FIRST = {
  alert: 'M12 8v5m0 3.5v.01M10.3 4 2.6 17.4A2 2 0 0 0 4.3 20.4h15.4a2 2 0 0 0 1.7-3L13.7 4a2 2 0 0 0-3.4 0Z',
  attach: 'm20.5 11.5-8.3 8.3a5.3 5.3 0 0 1-7.5-7.5l8.6-8.6a3.5 3.5 0 0 1 5 5l-8.5 8.5a1.8 1.8 0 0 1-2.6-2.5l7.8-7.8',
  back: 'M20 12H4.5M11 5l-7 7 7 7',
  check: 'm4.5 12.5 5 5 10-11',
  close: 'M6 6l12 12M18 6 6 18',
  group: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c.3-3.8 3-6 6.5-6s6.2 2.2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6.3M18.5 14.5c1.8.9 2.9 2.7 3 5.5',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-10v5.5M12 7.5v.01',
  send: 'M4 11.9 20 4l-5.5 16.5-3-6.3L4 11.9Zm7.5 2.3L20 4',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm-3.5-6.5c.8 1.2 2 2 3.5 2s2.7-.8 3.5-2M9 9.5v.01M15 9.5v.01',
  unlink: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8 12h8',
} as const;

export type FirstIcon = keyof typeof FIRST;
const paths: Record<string, string> = { ...FIRST };

/** More icons, for screens that are loaded when they are opened. */
export function addIcons(more: Readonly<Record<string, string>>): void {
  Object.assign(paths, more);
}

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 64 64" aria-hidden="true">
      <path class="logo-ice" d="M9 13 25 5l17 3 13 9 4 18-7 16-17 8-17-2L6 46 4 28Z" />
      <path class="logo-crack" d="M25 5l1 10M59 35l-9-2M18 57l4-10M4 28l9 1" />
      <path class="logo-water" d="M21 18.5 33 15l12 4 5 11-4 11-12 4-7-.5L18 50l1.5-8.5L14 32Z" />
    </svg>
  );
}
