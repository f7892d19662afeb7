import {
  shortId,
  type HistoryEvent,
  type JobError,
  type JobId,
  type OrderId,
  type OrderState,
  type Progress,
} from '@connecta/contracts';
import { CHANNELS } from '../signals/listen.ts';
import type { Store } from '../store.ts';
import { inTransaction } from '../workers/transaction.ts';

export type CancelOutcome =
  | { outcome: 'unknown' }
  | { outcome: 'already_ended'; state: OrderState }
  /** `childOrders`: orders under way that the cancelled jobs had placed. */
  | { outcome: 'cancelled'; childOrders: OrderId[] };

interface OpenOrder {
  concurrencyKey: string | null;
  state: OrderState;
  epoch: number;
  version: number;
  progress: Progress;
}
interface CancelledJob {
  id: JobId;
  step: string;
  item: number;
  attempt: number;
}

/**
 * Cancels an order finally, under its row lock: the order and its open jobs end in one transaction with their history,
 * and the orchestrator is told to take the deliveries out of the queues.
 */
export function requestCancel(store: Store, id: OrderId, by: string): Promise<CancelOutcome> {
  return inTransaction(store, async (client): Promise<CancelOutcome> => {
    const { rows: orders } = await client.query<OpenOrder>(
      'SELECT state, epoch, version, progress, concurrency_key AS "concurrencyKey" FROM orders WHERE id = $1 FOR UPDATE',
      [id],
    );
    const [order] = orders;
    if (!order) return { outcome: 'unknown' };
    if (order.state !== 'accepted' && order.state !== 'active') return { outcome: 'already_ended', state: order.state };
    const error: JobError = { kind: 'permanent', code: 'cancelled', message: `cancelled by ${by}` };
    const { rows: jobs } = await client.query<CancelledJob>(
      `UPDATE jobs SET state = 'cancelled', error = $2, finished_at = now(), not_before = NULL, complete_by = NULL,
         due_at = NULL, work = NULL, work_since = NULL
       WHERE order_id = $1 AND state IN ('pending', 'invoked', 'queued', 'started', 'waiting')
       RETURNING id, step, item, attempt`,
      [id, JSON.stringify(error)],
    );
    const events = historyOf(order, jobs, error);
    await client.query('INSERT INTO order_events (order_id, seq, events) VALUES ($1, $2, $3)', [
      id,
      order.version + 1,
      JSON.stringify(events),
    ]);
    await client.query(
      `UPDATE orders SET state = 'cancelled', error = $2, version = $3, progress = $4, finished_at = now() WHERE id = $1`,
      [id, JSON.stringify(error), order.version + events.length, JSON.stringify(progressOf(order, jobs))],
    );
    const { rows: children } = await client.query<{ id: OrderId }>(
      `SELECT id FROM orders WHERE parent_job_id = ANY($1::uuid[]) AND state IN ('accepted', 'active')`,
      [jobs.map((job) => job.id)],
    );
    await client.query('SELECT pg_notify($1, $3), pg_notify($2, $3)', [
      CHANNELS.commands,
      CHANNELS.orders,
      shortId(id),
    ]);
    // It makes room for the next of its key.
    if (order.concurrencyKey !== null) await client.query(`SELECT pg_notify($1, '')`, [CHANNELS.intake]);
    return { outcome: 'cancelled', childOrders: children.map((child) => child.id) };
  });
}

function historyOf({ epoch }: OpenOrder, jobs: readonly CancelledJob[], error: JobError): HistoryEvent[] {
  return [
    ...jobs.map(({ id, step, item, attempt }): HistoryEvent => ({
      ...{ type: 'job', step, jobId: id, attempt, state: 'cancelled' },
      ...(item === 0 ? {} : { item }),
    })),
    { type: 'order', state: 'cancelled', epoch, error },
  ];
}

function progressOf({ progress }: OpenOrder, jobs: readonly CancelledJob[]): Progress {
  return { ...progress, ...Object.fromEntries(jobs.map(({ step }) => [step, 'cancelled'])) };
}
