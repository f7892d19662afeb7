import { isEnded, type JobId, type OrderId } from '@connecta/contracts';
import type { LockedOrder, NewJob } from '@connecta/store';
import type { Draft } from './draft/draft.ts';

/** An order as a batch of this replica left it, with the one job that it has under way. */
export interface LeftOrder {
  order: LockedOrder;
  job: NewJob;
}

const MAX_ORDERS = 10_000;
/** Orders with more steps than this are not looked at: most of them have several jobs under way. */
const MAX_STEPS = 64;

/**
 * How this replica left orders of which one job is under way: when that job's report comes, what follows is decided
 * without reading the order first, and the database only has to confirm that nothing else happened to it. Memory, not
 * truth: whatever is not here, or is wrong, is read under the order's lock.
 */
export class LeftOrders {
  readonly #orders = new Map<OrderId, LeftOrder>();

  /** Notes what a committed batch left of orders. A large batch pays for its reads by its size: it leaves nothing. */
  note(drafts: readonly Draft[], most: number): void {
    for (const draft of drafts) {
      const left = drafts.length <= most ? leftBy(draft) : null;
      this.#orders.delete(draft.order.id);
      if (left) this.#orders.set(draft.order.id, left);
    }
    for (const id of this.#orders.keys()) {
      if (this.#orders.size <= MAX_ORDERS) return;
      this.#orders.delete(id);
    }
  }

  /** Takes out the order whose job under way is this one, in its first attempt; null when it is not known. */
  take(orderId: OrderId, jobId: JobId, attempt: number): LeftOrder | null {
    const left = this.#orders.get(orderId);
    if (left?.job.id !== jobId || attempt !== 1) return null;
    this.#orders.delete(orderId);
    return left;
  }
}

/** Null of an order that has ended, or of which anything but one new job is under way. */
function leftBy(draft: Draft): LeftOrder | null {
  const { order, newJobs, extras, write } = draft;
  const { otherJobs, heads, moves } = extras;
  const [job, ...others] = newJobs.filter(({ origin }) => origin === undefined);
  if (!job || job.item > 0 || others.length + otherJobs.length + heads.length + moves.length > 0) return null;
  if (write.state !== 'active' || countOpen(write.progress) !== 1) return null;
  return { order: { ...order, state: write.state, version: write.version, progress: write.progress }, job };
}

function countOpen(progress: LockedOrder['progress']): number {
  const states = Object.values(progress);
  if (states.length > MAX_STEPS) return Number.POSITIVE_INFINITY;
  return states.filter((state) => state !== 'blocked' && !isEnded(state)).length;
}
