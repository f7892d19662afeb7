import type { Duration } from './workflow.ts';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(?:\d{1,9}(?:ms|[smhd]))+$/;
const PART = /(\d+)(ms|[smhd])/g;

/** The longest time that anything may take or wait: a year. */
export const MAX_DURATION_MS = 366 * UNIT_MS.d;

/** Milliseconds of `90s`, `250ms`, `1h30m`; 0 of `0s`; null for anything else, and for more than 366 days. */
export function parseDuration(text: Duration): number | null {
  if (text.length > 50 || !DURATION.test(text)) return null;
  let sumMs = 0;
  for (const [, count, unit] of text.matchAll(PART)) sumMs += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return sumMs <= MAX_DURATION_MS ? sumMs : null;
}
