import type { PlanId } from '@connecta/contracts';
import { compilePlan, type CompiledPlan } from '@connecta/domain';
import { findPlans, type Store } from '@connecta/store';

const MAX_PLANS = 5000;

/** Plans never change: each is read and compiled once, the oldest are forgotten. */
export class PlanCache {
  readonly #store: Store;
  readonly #maxPlans: number;
  readonly #plans = new Map<PlanId, CompiledPlan>();

  constructor(store: Store, maxPlans: number = MAX_PLANS) {
    this.#store = store;
    this.#maxPlans = maxPlans;
  }

  /** These plans, compiled; one that does not exist or is no plan is left out. */
  async load(ids: Iterable<PlanId>): Promise<ReadonlyMap<PlanId, CompiledPlan>> {
    const loaded = new Map<PlanId, CompiledPlan>();
    const missing: PlanId[] = [];
    for (const id of new Set(ids)) {
      const plan = this.#plans.get(id);
      if (plan) loaded.set(id, plan);
      else missing.push(id);
    }
    if (missing.length > 0) await this.#read(missing, loaded);
    return loaded;
  }

  /** A plan that is at hand. */
  find(id: PlanId): CompiledPlan | undefined {
    return this.#plans.get(id);
  }

  async #read(ids: readonly PlanId[], into: Map<PlanId, CompiledPlan>): Promise<void> {
    for (const { id, plan } of await findPlans(this.#store, ids)) {
      const compiled = compiledOrNull(plan);
      if (!compiled) continue;
      into.set(id, compiled);
      this.#plans.set(id, compiled);
    }
    for (const id of this.#plans.keys()) {
      if (this.#plans.size <= this.#maxPlans) return;
      this.#plans.delete(id);
    }
  }
}

/** One plan that is none must not stop the batch that it stands in. */
function compiledOrNull(plan: Parameters<typeof compilePlan>[0]): CompiledPlan | null {
  try {
    return compilePlan(plan);
  } catch {
    return null;
  }
}
