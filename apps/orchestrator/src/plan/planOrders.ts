import { inBatch, takeAcceptedOrders, type Store } from '@connecta/store';
import { Drafts, type Outcome } from '../engine/drafts.ts';
import type { PlanCache } from '../engine/planCache.ts';
import type { Engine } from '../engine/port.ts';

export interface PlanOptions {
  store: Store;
  plans: PlanCache;
  engine: Engine;
  /** The most orders of one transaction. */
  limit: number;
}

/** Takes accepted orders and makes them active, their root steps invoked, in one transaction. Null when there are none. */
export async function planOrders({
  store,
  plans,
  engine,
  limit,
}: PlanOptions): Promise<(Outcome & { taken: number }) | null> {
  return inBatch(store, async (batch) => {
    const orders = await takeAcceptedOrders(batch, limit);
    if (orders.length === 0) {
      await batch.commit([]);
      return null;
    }
    const drafts = new Drafts(plans);
    await drafts.open(orders);
    for (const order of orders) {
      const faults = engine.validate(plans.get(order.planId));
      if (faults.length === 0) engine.launch(drafts, order);
      else {
        const message = faults.map((fault) => `${fault.path}: ${fault.message}`).join('; ');
        drafts.get(order.id)?.refuse({ kind: 'permanent', code: 'plan_refused', message });
      }
    }
    return { ...(await drafts.commit(batch)), taken: orders.length };
  });
}
