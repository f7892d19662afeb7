import {
  shortId,
  type Edge,
  type HistoryEvent,
  type JobId,
  type OrderId,
  type OrderState,
  type Progress,
} from '@connecta/contracts';
import { compilePlan, takeUp, type StoredPlan, type TakenUp } from '@connecta/domain';
import type pg from 'pg';
import { CHANNELS } from '../signals/listen.ts';
import type { Store } from '../store.ts';
import { inTransaction } from '../workers/transaction.ts';

export type RetryOutcome =
  | { outcome: 'unknown' }
  | { outcome: 'not_failed'; state: OrderState }
  /** It failed as a whole: no job of it did. */
  | { outcome: 'nothing_to_retry' }
  | { outcome: 'retried'; epoch: number; retried: string[] };

interface FailedOrder {
  state: OrderState;
  epoch: number;
  version: number;
  progress: Progress;
  createdBy: string;
  plan: StoredPlan;
}
interface RevivedJob {
  id: JobId;
  step: string;
  item: number;
  attempt: number;
}

/**
 * Takes a failed order up again under its row lock, in one transaction with its history: a new epoch; failed jobs are due
 * at once, with fresh counters, and get a new attempt from the timers; what was blocked will be decided on again.
 */
export function requestRetry(store: Store, id: OrderId): Promise<RetryOutcome> {
  return inTransaction(store, async (client): Promise<RetryOutcome> => {
    const { rows } = await client.query<FailedOrder>(
      `SELECT o.state, o.epoch, o.version, o.progress, o.created_by AS "createdBy", p.steps AS plan FROM orders o JOIN plans p ON p.id = o.plan_id
       WHERE o.id = $1 FOR UPDATE OF o`,
      [id],
    );
    const [order] = rows;
    if (!order) return { outcome: 'unknown' };
    if (order.state !== 'failed') return { outcome: 'not_failed', state: order.state };
    const taken = takeUp(compilePlan(order.plan), order.progress, await findOutcomes(client, id));
    if (!taken) return { outcome: 'nothing_to_retry' };
    const jobs = await reviveJobs(client, id, taken.again);
    await writeRetry(client, { id, order, taken, jobs });
    await unsettleTick(client, id, order.createdBy);
    return { outcome: 'retried', epoch: order.epoch + 1, retried: taken.again };
  });
}

/** The edges that the order's waits took. */
async function findOutcomes(client: pg.ClientBase, id: OrderId): Promise<Map<string, Edge>> {
  const { rows } = await client.query<{ step: string; outcome: Edge }>(
    'SELECT step, outcome FROM jobs WHERE order_id = $1 AND item = 0 AND outcome IS NOT NULL',
    [id],
  );
  return new Map(rows.map(({ step, outcome }) => [step, outcome]));
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
async function reviveJobs(client: pg.ClientBase, id: OrderId, steps: readonly string[]): Promise<RevivedJob[]> {
  const { rows } = await client.query<RevivedJob>(
    `UPDATE jobs SET state = 'pending', not_before = now(), lost = 0, failed = 0, crashed = 0, error = NULL,
       progress = NULL, finished_at = NULL, started_at = NULL, instance = NULL, complete_by = NULL, told_attempt = NULL
     WHERE order_id = $1 AND step = ANY($2::text[]) AND state = 'error'
     RETURNING id, step, item, attempt`,
    [id, steps],
  );
  return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
}

async function writeRetry(
  client: pg.ClientBase,
  retry: { id: OrderId; order: FailedOrder; taken: TakenUp; jobs: readonly RevivedJob[] },
): Promise<void> {
  const { id, order, taken, jobs } = retry;
  const events: HistoryEvent[] = [
    { type: 'order', state: 'active', epoch: order.epoch + 1 },
    ...jobs.map(({ id: jobId, step, item, attempt }): HistoryEvent => ({
      ...{ type: 'job', step, jobId, attempt, state: 'pending' },
      ...(item === 0 ? {} : { item }),
    })),
    ...taken.cleared.map((step): HistoryEvent => ({ type: 'step', step, state: 'pending', because: [] })),
  ];
  await client.query('INSERT INTO order_events (order_id, seq, events) VALUES ($1, $2, $3)', [
    id,
    order.version + 1,
    JSON.stringify(events),
  ]);
  await client.query(
    `UPDATE orders SET state = 'active', epoch = epoch + 1, version = $2, progress = $3, error = NULL, result = NULL,
       finished_at = NULL WHERE id = $1`,
    [id, order.version + events.length, JSON.stringify(taken.progress)],
  );
  await client.query('SELECT pg_notify($1, $2)', [CHANNELS.orders, `+${shortId(id)}`]);
}
