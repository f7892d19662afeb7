import type { JobState, PlanId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** Raw figures about orders under way: what stats are made of. */
export interface StatsRows {
  /** Orders under way by plan. */
  orders: { planId: PlanId; accepted: number; active: number }[];
  /** Steps that have ended, of orders under way, by plan and step. */
  ended: { planId: PlanId; step: string; count: number }[];
  /** Open jobs by plan, step and state; the age of the oldest since it became what it is waiting for. */
  jobs: { planId: PlanId; step: string; state: JobState; count: number; oldestMs: number }[];
}

/** Reads the figures through the pool of the slow lists: the hot connections are kept on indexes. */
export async function readStats(store: Store): Promise<StatsRows> {
  const [orders, ended, jobs] = await Promise.all([
    store.prisma.$queryRaw<StatsRows['orders']>`
      SELECT plan_id AS "planId", (count(*) FILTER (WHERE state = 'accepted'))::int AS accepted,
        (count(*) FILTER (WHERE state = 'active'))::int AS active
      FROM orders WHERE state = 'accepted' OR state = 'active' GROUP BY 1`,
    store.prisma.$queryRaw<StatsRows['ended']>`
      SELECT o.plan_id AS "planId", e.key AS step, count(*)::int AS count
      FROM orders o, jsonb_each_text(o.progress) e
      WHERE o.state = 'active' AND e.value IN ('completed', 'error', 'skipped', 'cancelled', 'blocked') GROUP BY 1, 2`,
    store.prisma.$queryRaw<StatsRows['jobs']>`
      SELECT o.plan_id AS "planId", j.step, j.state, count(*)::int AS count,
        (extract(epoch FROM now() - min(coalesce(j.invoked_at, j.created_at))) * 1000)::float8 AS "oldestMs"
      FROM jobs j JOIN orders o ON o.id = j.order_id
      WHERE j.state IN ('pending', 'invoked', 'queued', 'started') GROUP BY 1, 2, 3`,
  ]);
  return { orders, ended, jobs };
}
