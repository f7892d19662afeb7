import type { Fault, OrderId, OrderState } from '@connecta/contracts';
import type { CompiledPlan } from '@connecta/domain';
import type { AcceptedOrder } from '@connecta/store';
import type { Drafts } from './drafts.ts';

/** How an order is executed. The built-in engine is the first; others hand the work to another system. */
export interface Engine {
  readonly name: string;
  /** What keeps this engine from running a plan; empty when nothing does. */
  validate(plan: CompiledPlan): Fault[];
  /** Makes an accepted order active, inside the batch's transaction. */
  launch(drafts: Drafts, order: AcceptedOrder): void;
  /** An order's state as this engine knows it; null for an unknown order. */
  status(orderId: OrderId): Promise<OrderState | null>;
  /** Takes back what it sent out for orders that were cancelled. The orders' rows say so already: this only saves work. */
  cancel(orderIds: readonly OrderId[]): Promise<void>;
}
