import type { Duration } from '@connecta/contracts';

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(?:[0-9]{1,9}(?:ms|s|m|h|d))+$/;
/** A year and a day: no step waits longer. */
const MAX_MS = 366 * UNITS_MS.d;

/** `90s`, `1h30m` and the like in milliseconds; null for anything else, for nothing at all, and for more than 366 days. */
export function parseDuration(text: Duration): number | null {
  if (text.length > 50 || !DURATION.test(text)) return null;
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|s|m|h|d)/g)) {
    totalMs += Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  }
  return totalMs > 0 && totalMs <= MAX_MS ? totalMs : null;
}
