import type { PlanId } from '@connecta/contracts';
import { readPlan, type Plan } from '@connecta/domain';
import { findPlans, listWorkerTypeSummaries, readStats, type Store } from '@connecta/store';
import { computeStats, type Stats } from './compute-stats.ts';

/** However many watch, the database is asked once a second. */
const KEPT_MS = 1_000;
const MAX_PLANS = 1_000;

/** Reads the figures and keeps them for a second; concurrent readers share one read. */
export class StatsReader {
  readonly #store: Store;
  readonly #plans = new Map<PlanId, Plan>();
  #reading: { stats: Promise<Stats>; atMs: number } | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  read(): Promise<Stats> {
    const nowMs = performance.now();
    if (!this.#reading || nowMs - this.#reading.atMs > KEPT_MS) {
      const stats = this.#readNow();
      stats.catch(() => {
        this.#reading = undefined;
      });
      this.#reading = { stats, atMs: nowMs };
    }
    return this.#reading.stats;
  }

  async #readNow(): Promise<Stats> {
    const [rows, types] = await Promise.all([readStats(this.#store), listWorkerTypeSummaries(this.#store)]);
    await this.#loadPlans(new Set([...rows.orders, ...rows.jobs].map(({ planId }) => planId)));
    return computeStats(new Date(), rows, this.#plans, types);
  }

  /** Plans never change; those that nobody asks for any more make room. */
  async #loadPlans(ids: ReadonlySet<PlanId>): Promise<void> {
    if (this.#plans.size > MAX_PLANS) {
      for (const id of this.#plans.keys()) if (!ids.has(id)) this.#plans.delete(id);
    }
    const missing = [...ids].filter((id) => !this.#plans.has(id));
    if (missing.length === 0) return;
    for (const { id, plan } of await findPlans(this.#store, missing)) this.#plans.set(id, readPlan(plan));
  }
}
