/** How sizes of files are written. */
import { language } from './text/index.ts';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
export function fileSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(language.value, { style: 'unit', unit: UNITS[unit] as string, unitDisplay: unit ? 'short' : 'long', maximumFractionDigits: value < 10 && unit ? 1 : 0 }).format(value);
}
