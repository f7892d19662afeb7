/**
 * The waits behind the first, second … failed attempt, in milliseconds: ten attempts over three days, the last waits
 * about a day long, so that a receiver may be away over a weekend.
 */
const WAITS_MS: readonly number[] = [
  5_000,
  5 * 60_000,
  30 * 60_000,
  2 * 3_600_000,
  5 * 3_600_000,
  10 * 3_600_000,
  14 * 3_600_000,
  20 * 3_600_000,
  24 * 3_600_000,
];
const SPREAD = 0.2;

/** How many attempts a message has. */
export const MAX_ATTEMPTS = WAITS_MS.length + 1;

/**
 * When to try again after a failed attempt (from 1), in milliseconds; null: never. `random` (0 ≤ r < 1) spreads the
 * messages that failed together; what the receiver asks for (`retryAfterMs`) counts when it is longer, up to a day.
 */
export function retryAfter(attempt: number, random: number, retryAfterMs = 0): number | null {
  const waitMs = WAITS_MS[attempt - 1];
  if (waitMs === undefined) return null;
  const askedMs = Math.min(retryAfterMs, WAITS_MS.at(-1) as number);
  return Math.round(Math.max(waitMs * (1 + SPREAD * random), askedMs));
}
