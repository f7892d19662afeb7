import { findStalledOrders, inBatch, lockOrders } from '@connecta/store';
import { Drafts, type EngineParts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';

/**
 * Derives again what should run in active orders that have no job on its way: a defence in depth, for every batch
 * decides this under the order's lock. A finding is logged by the caller as the fault it is.
 */
export async function resumeOrders(parts: EngineParts): Promise<Outcome> {
  const ids = await findStalledOrders(parts.store, 100);
  if (ids.length === 0) return { commands: [], changedOrders: [] };
  return inBatch(parts.store, async (batch) => {
    const orders = (await lockOrders(batch, ids)).filter((order) => order.state === 'active');
    const drafts = new Drafts(parts);
    await drafts.open(orders);
    for (const order of orders) drafts.get(order.id)?.resume();
    return drafts.commit(batch);
  });
}
