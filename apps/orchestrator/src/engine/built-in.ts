import { deliveryId, type Fault, type OrderId, type OrderState } from '@connecta/contracts';
import type { CompiledPlan } from '@connecta/domain';
import type { JobQueues } from '@connecta/queue';
import { findCancelledAttempts, findOrderState, type AcceptedOrder, type Store } from '@connecta/store';
import type { Drafts } from './drafts.ts';
import type { Engine } from './port.ts';

/** Connecta's own engine: steps become jobs in the queues of their worker types. */
export class BuiltInEngine implements Engine {
  readonly name = 'connecta';
  readonly #store: Store;
  readonly #queues: JobQueues;

  constructor(store: Store, queues: JobQueues) {
    this.#store = store;
    this.#queues = queues;
  }

  validate(plan: CompiledPlan): Fault[] {
    return plan.roots.length > 0 ? [] : [{ path: '/steps', message: 'no step can begin' }];
  }

  launch(drafts: Drafts, order: AcceptedOrder): void {
    drafts.get(order.id)?.launch(order.input);
  }

  status(orderId: OrderId): Promise<OrderState | null> {
    return findOrderState(this.#store, orderId);
  }

  async cancel(orderIds: readonly OrderId[]): Promise<void> {
    const byType = new Map<string, string[]>();
    for (const { jobId, attempt, workerType } of await findCancelledAttempts(this.#store, orderIds)) {
      byType.set(workerType, [...(byType.get(workerType) ?? []), deliveryId(jobId, attempt)]);
    }
    for (const [type, ids] of byType) await this.#queues.remove(type, ids);
  }
}
