import type { OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { requestCancel, type CancelOutcome } from './request-cancel.ts';

/** Cancels an order and, with it, the orders that its jobs had placed, theirs, and so on. */
export async function cancelWithChildren(store: Store, id: OrderId, by: string): Promise<CancelOutcome> {
  const outcome = await requestCancel(store, id, by);
  if (outcome.outcome !== 'cancelled') return outcome;
  const below = [...outcome.childOrders];
  for (let child = below.pop(); child !== undefined; child = below.pop()) {
    const ended = await requestCancel(store, child, `the end of order ${id}`);
    if (ended.outcome === 'cancelled') below.push(...ended.childOrders);
  }
  return outcome;
}
