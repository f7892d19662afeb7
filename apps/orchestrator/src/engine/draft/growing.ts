import { isEnded, type JobId, type JsonValue } from '@connecta/contracts';
import { stepOfItem, type PlannedStep } from '@connecta/domain';
import type { EngineJob, WaitingJob } from '@connecta/store';
import { stateOf, writeHead } from './head.ts';
import { beginItem, type NewItem } from './items.ts';
import type { Ledger } from './ledger.ts';

/** One attempt of an item. */
interface ItemAttempt {
  id: JobId;
  attempt: number;
}

/** How a list grows by what its items returned. */
export interface Growth {
  /** How long it was when this was found out. */
  total: number;
  taken: readonly ItemAttempt[];
  added: number;
  /** The whole list, where it grows. */
  list?: JsonValue;
}

/** Ended items that are computed again, evaluated anew. */
export interface Again {
  /** How long the list was when this was found out, and how many items had ended. */
  total: number;
  done: number;
  items: (NewItem & ItemAttempt & { relatedTo: string[] })[];
  /** How many more there are than have room. */
  left: number;
}

/**
 * Takes new items into a list: once for each time that an item returned some, `pending` being all that lie there now. What
 * another replica took in meanwhile, or an item has returned anew, is looked at again.
 */
export function growList(ledger: Ledger, head: WaitingJob, growth: Growth, pending: readonly ItemAttempt[]): void {
  const { counts, extension } = stateOf(head);
  const attempts = new Map(pending.map(({ id, attempt }) => [id, attempt]));
  const isWhole = growth.taken.every(({ id, attempt }) => attempts.get(id) === attempt);
  if (counts.total !== growth.total || counts.created !== counts.total || !isWhole) return;
  for (const { id } of growth.taken) ledger.openExtras().takenReturns.push(id);
  writeHead(ledger, head, {
    counts: { ...counts, total: counts.total + growth.added },
    extension: {
      ...extension,
      pending: pending.length - growth.taken.length,
      rounds: extension.rounds + (growth.added > 0 ? 1 : 0),
    },
    list: growth.list,
  });
}

/**
 * Computes ended items again, each under its next attempt; their results so far no longer count. `jobs` are these items as
 * they are now: one that has moved meanwhile was taken care of. When none is left to be computed again, the results are
 * gathered; but what has ended meanwhile was not looked at.
 */
export function computeAgain(ledger: Ledger, head: WaitingJob, again: Again, jobs: readonly EngineJob[]): void {
  const { counts: before, extension } = stateOf(head);
  if (before.total !== again.total || before.created !== before.total || extension.pending > 0) return;
  const step = stepOfItem(ledger.plan.steps.get(head.step) as PlannedStep);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  const counts = { ...before };
  const given = head.contextIn ?? null;
  let begun = 0;
  for (const { relatedTo, ...item } of again.items) {
    const job = byId.get(item.id);
    if (job?.attempt !== item.attempt || !isEnded(job.state)) continue;
    begun += 1;
    counts.done -= 1;
    if (job.state === 'error') counts.failed -= 1;
    const { id, orderId, item: number, attempt, context } = job;
    const place = { id, orderId, name: head.step, item: number, attempt: attempt + 1, seen: again.total, given };
    const ended = beginItem(ledger, step, { ...place, superseded: { attempt, context, relatedTo } }, item);
    if (ended) counts.done += 1;
    if (ended === 'error') counts.failed += 1;
  }
  if (begun === 0 && again.items.length > 0) return;
  const isOver = again.items.length === 0 && again.done === again.total && counts.done === counts.total;
  writeHead(ledger, head, {
    counts,
    extension: { ...extension, stale: again.left },
    ...(isOver ? { work: 'gather' } : {}),
  });
}
