import type { AcceptedOrder } from '@connecta/store';
import { Drafts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';
import type { PlanOptions } from './plan-orders.ts';

/**
 * Makes accepted orders active as their signals told them, which saves the round trip that reads them. What another
 * replica took, or what was cancelled, is not in the outcome. Null where that takes more than is at hand, or where an
 * order must be refused: nothing was changed then.
 */
export async function planTold(
  { parts, engine }: Pick<PlanOptions, 'parts' | 'engine'>,
  orders: readonly AcceptedOrder[],
): Promise<Outcome | null> {
  const drafts = new Drafts(parts);
  if (!drafts.openKnown(orders)) return null;
  for (const order of orders) {
    const plan = drafts.get(order.id)?.plan;
    if (!plan || engine.validate(plan).length > 0) return null;
    engine.launch(drafts, order);
  }
  return drafts.take();
}
