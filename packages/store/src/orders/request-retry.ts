import type { Edge, HistoryEvent, JobId, OrderId, OrderState, PlanId, Progress } from '@connecta/contracts';
import {
  compilePlan,
  takeUp,
  type CompiledPlan,
  type ItemCounts,
  type StoredPlan,
  type TakenUp,
} from '@connecta/domain';
import type pg from 'pg';
import type { IdempotentCreate } from '../idempotency/create-once.ts';
import { findAnswer, keepAnswer } from '../idempotency/kept-answer.ts';
import { CHANNELS, orderSignalOf } from '../signals/listen.ts';
import type { Store } from '../store.ts';
import { inTransaction } from '../workers/transaction.ts';

export type RetryOutcome =
  | { outcome: 'unknown' }
  | { outcome: 'not_failed'; state: OrderState }
  /** It failed as a whole: no job of it did. */
  | { outcome: 'nothing_to_retry' }
  | ({ outcome: 'retried' } & Retry);

interface Retry {
  epoch: number;
  retried: string[];
}

interface FamilyOrder {
  id: OrderId;
  state: OrderState;
  epoch: number;
  version: number;
  progress: Progress;
  createdBy: string;
  planId: PlanId;
  parentJobId: JobId | null;
  parentAttempt: number | null;
}
interface RevivedJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  item: number;
  attempt: number;
}
/** An order that is taken up, and for which attempt of its job. */
interface Retried {
  order: FamilyOrder;
  taken: TakenUp;
  parentAttempt: number | null;
}

interface RecountedHead extends ItemCounts {
  id: JobId;
  orderId: OrderId;
  step: string;
}

/**
 * Takes a failed order up again under its row lock, in one transaction with its history: a new epoch; failed jobs are due
 * at once, with fresh counters, and get a new attempt from the timers; what was blocked will be decided on again. With it,
 * the failed orders that its failed steps are, and theirs: they go on where they had failed. A repeat under the same key
 * changes nothing and brings what the first request did. @throws IdempotencyMismatchError
 */
export function requestRetry(store: Store, id: OrderId, idempotency?: IdempotentCreate): Promise<RetryOutcome> {
  return inTransaction(store, async (client): Promise<RetryOutcome> => {
    const family = await lockFamily(client, id);
    const root = family.find((order) => order.id === id);
    if (!root) return { outcome: 'unknown' };
    const earlier = await findAnswer<Retry>(client, idempotency);
    if (earlier) return { outcome: 'retried', ...earlier };
    if (root.state !== 'failed') return { outcome: 'not_failed', state: root.state };
    const plans = await findPlans(client, family);
    const outcomes = await findOutcomes(client, family);
    const taken = (order: FamilyOrder): TakenUp | null =>
      takeUp(plans.get(order.planId) as CompiledPlan, order.progress, outcomes.get(order.id) ?? new Map());
    const first = taken(root);
    if (!first) return { outcome: 'nothing_to_retry' };
    let level: Retried[] = [{ order: root, taken: first, parentAttempt: root.parentAttempt }];
    while (level.length > 0) {
      const jobs = await reviveJobs(client, level);
      const heads = await recountHeads(client, level);
      await writeRetries(client, level, { jobs, heads });
      level = await retriedChildren(client, { family, jobs, taken });
    }
    await unsettleTick(client, id, root.createdBy);
    const retry: Retry = { epoch: root.epoch + 1, retried: first.again };
    await keepAnswer(client, idempotency, retry);
    return { outcome: 'retried', ...retry };
  });
}

/** An order, the orders that failed steps of it are, theirs, and so on, locked in the order of their ids. */
async function lockFamily(client: pg.ClientBase, id: OrderId): Promise<FamilyOrder[]> {
  const { rows: ids } = await client.query<{ id: OrderId }>(
    `WITH RECURSIVE family AS (
       SELECT $1::uuid AS id
       UNION SELECT o.id FROM family f JOIN jobs j ON j.order_id = f.id AND j.kind = 'order' AND j.state = 'error'
         JOIN orders o ON o.parent_job_id = j.id)
     SELECT id FROM family`,
    [id],
  );
  const { rows } = await client.query<FamilyOrder>(
    `SELECT id, state, epoch, version, progress, created_by AS "createdBy", plan_id AS "planId", parent_job_id AS "parentJobId",
       parent_attempt AS "parentAttempt"
     FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`,
    [ids.map((row) => row.id)],
  );
  return rows;
}

async function findPlans(client: pg.ClientBase, family: readonly FamilyOrder[]): Promise<Map<PlanId, CompiledPlan>> {
  const { rows } = await client.query<{ id: PlanId; steps: StoredPlan }>(
    'SELECT id, steps FROM plans WHERE id = ANY($1::uuid[])',
    [[...new Set(family.map(({ planId }) => planId))]],
  );
  return new Map(rows.map(({ id, steps }) => [id, compilePlan(steps)]));
}

/** The edges that the waits of orders took. */
async function findOutcomes(
  client: pg.ClientBase,
  family: readonly FamilyOrder[],
): Promise<Map<OrderId, Map<string, Edge>>> {
  const { rows } = await client.query<{ orderId: OrderId; step: string; outcome: Edge }>(
    `SELECT order_id AS "orderId", step, outcome FROM jobs
     WHERE order_id = ANY($1::uuid[]) AND item = 0 AND outcome IS NOT NULL`,
    [family.map(({ id }) => id)],
  );
  const edges = new Map<OrderId, Map<string, Edge>>();
  for (const { orderId, step, outcome } of rows) {
    edges.set(orderId, (edges.get(orderId) ?? new Map<string, Edge>()).set(step, outcome));
  }
  return edges;
}

/** An order of a schedule runs again: slots meet it as the schedule's overlap policy says. */
async function unsettleTick(client: pg.ClientBase, id: OrderId, createdBy: string): Promise<void> {
  const [kind, name] = createdBy.split(':', 2);
  if (kind !== 'schedule') return;
  await client.query(
    `UPDATE schedule_ticks t SET settled = false FROM schedules s
     WHERE s.name = $2 AND t.schedule_id = s.id AND t.order_id = $1 AND t.state = 'fired'`,
    [id, name],
  );
}

/** An attempt of before has ended: whatever it still reports finds no open state, and later an older attempt. */
async function reviveJobs(client: pg.ClientBase, retried: readonly Retried[]): Promise<RevivedJob[]> {
  const { rows } = await client.query<RevivedJob>(
    `UPDATE jobs j SET state = 'pending', not_before = now(), lost = 0, failed = 0, crashed = 0, handed_back = 0, error = NULL,
       progress = NULL, finished_at = NULL, started_at = NULL, instance = NULL, complete_by = NULL, told_attempt = NULL
     FROM json_to_recordset($1::json) x("orderId" uuid, step text)
     WHERE j.order_id = x."orderId" AND j.step = x.step AND j.state = 'error'
     RETURNING j.id, j.order_id AS "orderId", j.step, j.item, j.attempt`,
    [JSON.stringify(stepsOf(retried))],
  );
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Counts the items of lists anew: those that had failed are open again, and some may have ended after their head had. From
 * here on whatever ends is counted, also before the head's own turn.
 */
async function recountHeads(client: pg.ClientBase, retried: readonly Retried[]): Promise<RecountedHead[]> {
  const { rows } = await client.query<RecountedHead>(
    `UPDATE jobs h SET items_created = c.created, items_done = c.done, items_failed = c.failed
     FROM (SELECT j.order_id, j.step, count(*) AS created,
             count(*) FILTER (WHERE j.state IN ('completed', 'error', 'skipped')) AS done,
             count(*) FILTER (WHERE j.state = 'error') AS failed
           FROM json_to_recordset($1::json) x("orderId" uuid, step text)
             JOIN jobs j ON j.order_id = x."orderId" AND j.step = x.step AND j.item > 0
           GROUP BY j.order_id, j.step) c
     WHERE h.order_id = c.order_id AND h.step = c.step AND h.item = 0 AND h.kind = 'head' AND h.items_total IS NOT NULL
     RETURNING h.id, h.order_id AS "orderId", h.step, h.items_total AS total, h.items_created AS created,
       h.items_done AS done, h.items_failed AS failed`,
    [JSON.stringify(stepsOf(retried))],
  );
  return rows;
}

/** The steps that are taken up again. */
function stepsOf(retried: readonly Retried[]): { orderId: OrderId; step: string }[] {
  return retried.flatMap(({ order, taken }) => taken.again.map((step) => ({ orderId: order.id, step })));
}

async function writeRetries(
  client: pg.ClientBase,
  retried: readonly Retried[],
  { jobs, heads }: { jobs: readonly RevivedJob[]; heads: readonly RecountedHead[] },
): Promise<void> {
  const jobsOf = Map.groupBy(jobs, ({ orderId }) => orderId);
  const headsOf = Map.groupBy(heads, ({ orderId }) => orderId);
  const rows = retried.map(({ order, taken, parentAttempt }) => {
    const { id, version } = order;
    const events = historyOf(order, taken, { jobs: jobsOf.get(id) ?? [], heads: headsOf.get(id) ?? [] });
    return { id, seq: version + 1, events, version: version + events.length, progress: taken.progress, parentAttempt };
  });
  await client.query(
    `WITH x AS (SELECT * FROM json_to_recordset($1::json)
         x(id uuid, seq int, events jsonb, version int, progress jsonb, "parentAttempt" int)),
       history AS (INSERT INTO order_events (order_id, seq, events) SELECT id, seq, events FROM x)
     UPDATE orders o SET state = 'active', epoch = o.epoch + 1, version = x.version, progress = x.progress, error = NULL,
       result = NULL, finished_at = NULL, parent_attempt = x."parentAttempt"
     FROM x WHERE o.id = x.id`,
    [JSON.stringify(rows)],
  );
  await client.query('SELECT pg_notify($1, signal) FROM unnest($2::text[]) signal', [
    CHANNELS.orders,
    retried.map(({ order }) => orderSignalOf([{ orderId: order.id, open: true }])),
  ]);
}

function historyOf(
  { epoch }: FamilyOrder,
  taken: TakenUp,
  { jobs, heads }: { jobs: readonly RevivedJob[]; heads: readonly RecountedHead[] },
): HistoryEvent[] {
  return [
    { type: 'order', state: 'active', epoch: epoch + 1 },
    ...jobs.map(({ id, step, item, attempt }): HistoryEvent => ({
      ...{ type: 'job', step, jobId: id, attempt, state: 'pending' },
      ...(item === 0 ? {} : { item }),
    })),
    ...heads.map(({ id: jobId, orderId: _, ...counts }): HistoryEvent => ({ type: 'items', jobId, ...counts })),
    ...taken.cleared.map((step): HistoryEvent => ({ type: 'step', step, state: 'pending', because: [] })),
  ];
}

/**
 * The orders that revived jobs are, as far as they can be taken up. One that has been taken up by itself meanwhile is the
 * one of the next attempt, too; of one that was cancelled or never began the next attempt makes another.
 */
async function retriedChildren(
  client: pg.ClientBase,
  {
    family,
    jobs,
    taken,
  }: {
    family: readonly FamilyOrder[];
    jobs: readonly RevivedJob[];
    taken: (order: FamilyOrder) => TakenUp | null;
  },
): Promise<Retried[]> {
  const childrenOf = Map.groupBy(family, ({ parentJobId }) => parentJobId);
  const retried: Retried[] = [];
  const goingOn: { id: OrderId; attempt: number }[] = [];
  for (const { id, attempt } of jobs) {
    const [order] = (childrenOf.get(id) ?? []).sort(newestFirst);
    if (!order || order.state === 'cancelled') continue;
    const again = order.state === 'failed' ? taken(order) : null;
    if (again) retried.push({ order, taken: again, parentAttempt: attempt + 1 });
    else if (order.state !== 'failed') goingOn.push({ id: order.id, attempt: attempt + 1 });
  }
  if (goingOn.length > 0) {
    await client.query(
      `UPDATE orders o SET parent_attempt = x.attempt FROM json_to_recordset($1::json) x(id uuid, attempt int)
       WHERE o.id = x.id`,
      [JSON.stringify(goingOn)],
    );
  }
  return retried;
}

function newestFirst(a: FamilyOrder, b: FamilyOrder): number {
  return (b.parentAttempt ?? 0) - (a.parentAttempt ?? 0) || (a.id < b.id ? 1 : -1);
}
