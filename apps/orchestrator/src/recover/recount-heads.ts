import { countItemsOf, findStalledHeads, inBatch, lockOrders, lockWaitingJobs } from '@connecta/store';
import { Drafts, type EngineParts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';

/**
 * Counts the items of lists anew that wait for items which are not under way: a defence in depth, for every batch counts
 * what it ends. A finding is logged by the caller as the fault it is.
 */
export async function recountHeads(parts: EngineParts): Promise<Outcome> {
  const found = await findStalledHeads(parts.store, 100);
  if (found.length === 0) return { commands: [], changedOrders: [] };
  const ids = found.map(({ jobId }) => jobId);
  return inBatch(parts.store, async (batch) => {
    const [orders, heads, counted] = await Promise.all([
      lockOrders(batch, [...new Set(found.map(({ orderId }) => orderId))]),
      lockWaitingJobs(batch, ids),
      countItemsOf(batch, ids),
    ]);
    const drafts = new Drafts(parts);
    await drafts.open(orders.filter((order) => order.state === 'active'));
    const byId = new Map(counted.map((items) => [items.id, items]));
    for (const head of heads) {
      const items = byId.get(head.id);
      if (items && head.work === null) drafts.get(head.orderId)?.recount(head, items);
    }
    return drafts.commit(batch);
  });
}
