import type { OrderId } from '@connecta/contracts';
import { readIntakeSignal, type AcceptedOrder } from '@connecta/store';
import { FEW_ORDERS } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';
import { planOrders, type PlanOptions } from './plan-orders.ts';
import { planTold } from './plan-told.ts';

export interface PlanStageOptions extends PlanOptions {
  /** Sends what a committed batch leaves to do. Never rejects. */
  follow: (outcome: Outcome) => Promise<void>;
}

/** How long the table goes without being looked at, whatever is told: signals are hints. */
export const PLAN_POLL_MS = 1000;

/**
 * Plans accepted orders. States: behind (orders may wait in the table, so those that are told take their turn among them)
 * → caught up (nothing is known to wait: a few orders are planned as they are told) → behind.
 */
export class PlanStage {
  readonly #options: PlanStageOptions;
  readonly #told = new Map<OrderId, AcceptedOrder>();
  #behind = true;
  #lookedAt = 0;

  constructor(options: PlanStageOptions) {
    this.#options = options;
  }

  /** Takes a signal of the intake: of the order that it tells, or, without one, of any others. */
  tell(signal: string): void {
    const order = readIntakeSignal(signal);
    if (order === null || this.#told.size >= FEW_ORDERS) this.#behind = true;
    else this.#told.set(order.id, order);
  }

  async tick(): Promise<boolean> {
    const told = [...this.#told.values()].sort(inTurn);
    this.#told.clear();
    if (this.#behind || told.length === 0) return this.#look();
    const outcome = await this.#guarded(() => planTold(this.#options, told));
    if (!outcome) return this.#look();
    // Other replicas were told as well.
    if (outcome.changedOrders.length > 0) await this.#options.follow(outcome);
    if (performance.now() - this.#lookedAt >= PLAN_POLL_MS) this.#behind = true;
    return this.#behind;
  }

  /** Plans what waits in the table: what was told until now is among it. */
  async #look(): Promise<boolean> {
    const { limit, follow } = this.#options;
    this.#behind = false;
    this.#lookedAt = performance.now();
    const outcome = await this.#guarded(() => planOrders(this.#options));
    if (!outcome) return this.#behind;
    // Every insert sends a signal: fewer than the limit were all, and no empty transaction has to find that out.
    if (outcome.changedOrders.length >= limit) this.#behind = true;
    await follow(outcome);
    return this.#behind;
  }

  /** What fails has left its orders in the table. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#behind = true;
      throw error;
    }
  }
}

/** As orders are taken from the table: those of high priority first, then the oldest. */
function inTurn(a: AcceptedOrder, b: AcceptedOrder): number {
  return b.priority - a.priority || (a.id < b.id ? -1 : 1);
}
