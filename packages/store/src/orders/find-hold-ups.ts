import type { JobId, OrderId } from '@connecta/contracts';
import { MAX_AHEAD, type Line, type Runners } from '@connecta/domain';
import { PATIENCE, SILENT_SINCE } from '../engine/overdue.ts';
import type { Store } from '../store.ts';

/** What tells why an order, or jobs of its steps, have not begun. */
export interface HoldUpFacts {
  /** Of an accepted order. */
  line: Line | null;
  /** By job that was sent and that no runner has begun with. */
  runners: ReadonlyMap<JobId, Runners>;
}

/** The facts about one order under way, read apart from its trace: only who looks at it pays for them. */
export async function findHoldUpFacts(store: Store, id: OrderId): Promise<HoldUpFacts> {
  const [line, runners] = await Promise.all([findLine(store, id), findRunners(store, id)]);
  return { line, runners: new Map(runners.map(({ jobId, ...known }) => [jobId, known])) };
}

async function findLine(store: Store, id: OrderId): Promise<Line | null> {
  const before = `a.state = 'accepted' AND (a.priority > o.priority OR a.priority = o.priority AND a.id < o.id) LIMIT ${MAX_AHEAD}`;
  const { rows } = await store.pool.query<Line>({
    name: 'find_line',
    text: `SELECT o.concurrency_key AS key, o.concurrency_max AS max,
        (SELECT count(*)::int FROM orders a WHERE a.state = 'active' AND a.concurrency_key = o.concurrency_key) AS active,
        CASE WHEN o.concurrency_key IS NULL
          THEN (SELECT count(*)::int FROM (SELECT FROM orders a WHERE a.concurrency_key IS NULL AND ${before}) ahead)
          ELSE (SELECT count(*)::int FROM (SELECT FROM orders a WHERE a.concurrency_key = o.concurrency_key AND ${before}) ahead)
        END AS ahead
      FROM orders o WHERE o.id = $1 AND o.state = 'accepted'`,
    values: [id],
  });
  return rows[0] ?? null;
}

async function findRunners(store: Store, id: OrderId): Promise<(Runners & { jobId: JobId })[]> {
  const { rows } = await store.pool.query<Runners & { jobId: JobId }>({
    name: 'find_runners',
    text: `SELECT j.id AS "jobId", j.worker_type AS "workerType", up.live, up.slots, up.free AS "freeSlots",
        CASE WHEN silent.seen IS NOT NULL
          THEN greatest(j.invoked_at, silent.seen) + coalesce(j.give_up_at - j.invoked_at, ${PATIENCE}) END AS "giveUpAt"
      FROM jobs j JOIN worker_types t ON t.name = j.worker_type CROSS JOIN LATERAL (${SILENT_SINCE}) silent
      CROSS JOIN LATERAL (
        SELECT count(*)::int AS live, coalesce(sum(i.slots), 0)::int AS slots, coalesce(sum(i.free_slots), 0)::int AS free
        FROM worker_instances i WHERE i.worker_type = t.name AND i.state = 'ready' AND i.slots > 0) up
      WHERE j.order_id = $1 AND j.item = 0 AND j.state IN ('invoked', 'queued')`,
    values: [id],
  });
  return rows;
}
