/** How times are written. */
import { language, t } from './text/index.ts';

const formatters = new Map<string, Intl.DateTimeFormat>();
function formatter(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.value} ${name}`;
  let found = formatters.get(key);
  if (!found) formatters.set(key, (found = new Intl.DateTimeFormat(language.value === 'en' ? navigator.languages.find((tag) => tag.startsWith('en')) ?? 'en' : language.value, options)));
  return found;
}

export function clock(time: number): string {
  return formatter('clock', { hour: '2-digit', minute: '2-digit' }).format(time);
}

/** Whole days between two times, by the calendar of this place. */
export function daysBetween(earlier: number, later: number): number {
  const midnight = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000);
}

export function dayLabel(time: number, now: number): string {
  const days = daysBetween(time, now);
  if (days === 0) return t('today');
  if (days === 1) return t('yesterday');
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
  return sameYear ? formatter('day', { day: 'numeric', month: 'long' }).format(time) : formatter('date', { day: 'numeric', month: 'long', year: 'numeric' }).format(time);
}

/** For lists: the hour today, the weekday this week, else the date. */
export function listTime(time: number, now: number): string {
  const days = daysBetween(time, now);
  if (days <= 0) return clock(time);
  if (days < 7) return formatter('weekday', { weekday: 'short' }).format(time);
  return formatter('short', { day: '2-digit', month: '2-digit', year: '2-digit' }).format(time);
}

export function fullTime(time: number): string {
  return formatter('full', { dateStyle: 'long', timeStyle: 'short' }).format(time);
}

export function shortDate(time: number): string {
  return formatter('day', { day: 'numeric', month: 'long' }).format(time);
}
