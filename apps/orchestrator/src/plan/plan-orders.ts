import type { Fault } from '@connecta/contracts';
import { inBatch, takeAcceptedOrders } from '@connecta/store';
import { Drafts, type EngineParts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';
import type { Engine } from '../engine/port.ts';

export interface PlanOptions {
  parts: EngineParts;
  engine: Engine;
  /** The most orders of one transaction. */
  limit: number;
}

/** Takes accepted orders and makes them active, their root steps invoked, in one transaction. Null when there are none. */
export async function planOrders({ parts, engine, limit }: PlanOptions): Promise<Outcome | null> {
  return inBatch(parts.store, async (batch) => {
    const orders = await takeAcceptedOrders(batch, limit);
    if (orders.length === 0) {
      await batch.commit([]);
      return null;
    }
    const drafts = new Drafts(parts);
    await drafts.open(orders);
    for (const order of orders) {
      const plan = drafts.get(order.id)?.plan;
      const faults = plan ? engine.validate(plan) : UNREADABLE;
      if (faults.length === 0) engine.launch(drafts, order);
      else {
        const message = faults.map((fault) => `${fault.path}: ${fault.message}`).join('; ');
        drafts.refuse(order, { kind: 'permanent', code: 'plan_refused', message });
      }
    }
    return drafts.commit(batch);
  });
}

const UNREADABLE: readonly Fault[] = [{ path: '/steps', message: 'the plan of this order cannot be read' }];
