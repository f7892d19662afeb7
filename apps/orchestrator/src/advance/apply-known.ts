import { completeKnownJobs, inBatch, isNotAsKnown, lockKnownOrders, type ChangedJob } from '@connecta/store';
import { Drafts, FEW_ORDERS, type EngineParts } from '../engine/drafts.ts';
import type { LeftOrder } from '../engine/left-orders.ts';
import type { Outcome } from '../engine/outcome.ts';
import { isCompletion, toCompleted, type Completion } from './completions.ts';
import type { Report } from './read-report.ts';

/**
 * Applies a few completions to orders that this replica left with just these jobs under way: what follows is decided
 * before anything is read, and all statements travel in one flight, which saves a round trip a step. Null where that
 * cannot be done, or where the database knows better: nothing was changed then.
 */
export async function applyKnown(parts: EngineParts, reports: readonly Report[]): Promise<Outcome | null> {
  if (reports.length > FEW_ORDERS || !reports.every(isPlain)) return null;
  const known = takeAll(parts, reports);
  if (!known) return null;
  try {
    return await inBatch(parts.store, async (batch) => {
      const drafts = new Drafts(parts);
      await drafts.open(known.map(({ left }) => left.order));
      const guards = [
        lockKnownOrders(
          batch,
          known.map(({ left }) => left.order),
        ),
        completeKnownJobs(
          batch,
          known.map(({ report }) => toCompleted(report)),
        ),
      ];
      // The commit tells their errors, unless a read that travels with them fails first.
      for (const guard of guards) guard.catch(() => {});
      for (const { left, report } of known) drafts.get(left.order.id)?.complete(changedOf(left, report), report.event);
      return drafts.commit(batch, () => guards);
    });
  } catch (error) {
    if (isNotAsKnown(error)) return null;
    throw error;
  }
}

/** Whether a report is a completion without new items: those lie on the row until their list has taken them in. */
function isPlain(report: Report): report is Completion {
  return isCompletion(report) && report.event.newItems === undefined;
}

interface Known {
  left: LeftOrder;
  report: Completion;
}

/** One report an order, all of them known; null when one is not. */
function takeAll({ left }: EngineParts, reports: readonly Completion[]): Known[] | null {
  const known: Known[] = [];
  for (const report of reports) {
    const { jobId, attempt } = report.event;
    const order = left.take(report.lease.orderId, jobId, attempt);
    if (!order) return null;
    known.push({ left: order, report });
  }
  return known;
}

function changedOf({ job }: LeftOrder, { event }: Completion): ChangedJob {
  const { id, orderId, step, item } = job;
  return { id, orderId, step, item, attempt: event.attempt, context: event.context ?? job.context ?? null };
}
