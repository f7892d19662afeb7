import type { PlanId } from '@connecta/contracts';
import { compilePlan, type CompiledPlan } from '@connecta/domain';
import { findPlans, type Store } from '@connecta/store';

const MAX_PLANS = 5000;

/** Plans never change: each is read and compiled once, the oldest are forgotten. */
export class PlanCache {
  readonly #store: Store;
  readonly #plans = new Map<PlanId, CompiledPlan>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Makes sure that these plans are at hand. Throws when one does not exist. */
  async load(ids: Iterable<PlanId>): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.#plans.has(id));
    if (missing.length === 0) return;
    for (const { id, plan } of await findPlans(this.#store, missing)) this.#plans.set(id, compilePlan(plan));
    for (const id of this.#plans.keys()) {
      if (this.#plans.size <= MAX_PLANS) break;
      if (!missing.includes(id)) this.#plans.delete(id);
    }
  }

  get(id: PlanId): CompiledPlan {
    const plan = this.#plans.get(id);
    if (!plan) throw new Error(`plan ${id} is not loaded`);
    return plan;
  }
}
