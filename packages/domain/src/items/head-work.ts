import type { PlannedForEach } from '../plan.ts';

/** Of a list of items, as numbers: `created` have a job, `done` have ended, `failed` of these in error. */
export interface ItemCounts {
  total: number;
  created: number;
  done: number;
  failed: number;
}

/** What became of a list that its own items extend. */
export interface Extension {
  /** Items that returned new ones which the list does not have yet. */
  pending: number;
  /** How often the list has grown. */
  rounds: number;
  /** Ended items that are still to be computed again, as far as that is known. */
  stale: number;
}

/**
 * What a head needs next: `expand` makes jobs of further items, `extend` takes new items into the list, `again` looks for
 * ended items that are related to items which they have not seen, `gather` makes the list of results, `fail` ends the step.
 */
export type HeadWork = 'expand' | 'extend' | 'again' | 'gather' | 'fail';

export const NO_EXTENSION: Extension = { pending: 0, rounds: 0, stale: 0 };

/**
 * Decides what a head needs next; null: its items are under way. Jobs are made when half of those that may be in flight
 * have ended, since each chunk is a transaction of its own. Items are computed again when all others have ended: they see
 * the results of those that they are related to, and each once for all that turned up meanwhile.
 */
export function headWork(
  { total, created, done, failed }: ItemCounts,
  { pending, rounds, stale }: Extension,
  { max, onItemError, related }: Pick<PlannedForEach, 'max' | 'onItemError' | 'related'>,
): HeadWork | null {
  const inFlight = created - done;
  if (onItemError === 'fail' && failed > 0) return inFlight > 0 ? null : 'fail';
  const hasRoom = inFlight <= max / 2;
  if (created < total) return hasRoom ? 'expand' : null;
  if (pending > 0) return hasRoom ? 'extend' : null;
  if (stale > 0) return hasRoom ? 'again' : null;
  if (inFlight > 0) return null;
  return rounds > 0 && related ? 'again' : 'gather';
}
