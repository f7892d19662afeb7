import type { JobMessage, OrderId, WorkerInstanceId } from '@connecta/contracts';
import { oneByOne } from '../engine/one-by-one.ts';
import type { Store } from '../store.ts';
import type { HeldAttempt } from '../workers/record-heartbeat.ts';
import { inTransaction } from '../workers/transaction.ts';

/** A delivery to be handed out to an instance that claims over HTTP. */
export interface ClaimedDelivery extends HeldAttempt {
  function: string;
  message: JobMessage;
}

/** A delivery that was handed out, as its claim is answered. */
export interface Claim extends ClaimedDelivery {
  orderId: OrderId;
  step: string;
  ackBy: Date;
  startMs: number;
  completeMs: number;
}

/** The timers of a job that has none of its own; milliseconds. */
export interface ClaimTimers {
  ackMs: number;
  startMs: number;
  completeMs: number;
}

/**
 * Hands deliveries out: those that are their job's open attempt of a running order become claims of the
 * instance, which holds them from now on; what was handed out already, cancelled or replaced does not. Null when the
 * instance takes no work (any more), or was given something under this request already: a request that was sent twice,
 * to two replicas, is given no more than its slots. The instance is locked first, so that the second sees the first's.
 */
export async function recordClaims(
  store: Store,
  claiming: {
    workerId: WorkerInstanceId;
    workerType: string;
    requestId: string;
    deliveries: readonly ClaimedDelivery[];
    timers: ClaimTimers;
  },
): Promise<HeldAttempt[] | null> {
  const { workerId, workerType, requestId, deliveries, timers } = claiming;
  return inTransaction(store, async (client) => {
    await client.query({ name: 'lock_instance', text: LOCK_INSTANCE, values: [workerId] });
    const { rows } = await client.query<{ claimed: HeldAttempt[] }>({
      name: 'record_claims',
      text: RECORD_CLAIMS,
      values: [
        workerId,
        workerType,
        requestId,
        JSON.stringify(deliveries),
        timers.ackMs,
        timers.startMs,
        timers.completeMs,
      ],
    });
    return rows[0]?.claimed ?? null;
  });
}

const LOCK_INSTANCE = 'SELECT FROM worker_instances WHERE id = $1 FOR NO KEY UPDATE';

/** What differs from the system's timers stands with the job; a year does not fit the column, 24 days do. */
const timer = (name: string, fallback: string): string =>
  `least(coalesce((j.timers->>'${name}')::bigint, ${fallback}::bigint), 2147483647)::int`;

const RECORD_CLAIMS = `
  WITH instance AS (
    UPDATE worker_instances SET last_seen_at = now(), state = 'ready', ended_at = NULL,
      free_slots = greatest(free_slots - json_array_length($4::json), 0)
    WHERE id = $1 AND worker_type = $2 AND state IN ('ready', 'lost') AND drain_asked_at IS NULL AND NOT EXISTS (
      SELECT FROM job_claims c JOIN jobs j ON j.id = c.job_id AND j.attempt = c.attempt
      WHERE c.instance_id = $1 AND c.request_id = $3 AND c.ended_at IS NULL
        AND (j.state || '') IN ('invoked', 'queued', 'started'))
    RETURNING id
  ), open AS (
    SELECT j.id, j.attempt, t.function, t.message, ${timer('ackMs', '$5')} AS ack_ms,
      ${timer('startMs', '$6')} AS start_ms, ${timer('completeMs', '$7')} AS complete_ms
    FROM json_to_recordset($4::json) t("jobId" uuid, attempt int, function text, message json)
    JOIN jobs j ON j.id = t."jobId" AND j.attempt = t.attempt AND j.worker_type = $2 AND ${oneByOne('t.attempt')}
      AND (j.state || '') IN ('invoked', 'queued', 'started')
    JOIN orders o ON o.id = j.order_id AND (o.state || '') = 'active'
  ), claims AS (
    INSERT INTO job_claims (job_id, attempt, instance_id, request_id, function, message, start_ms, complete_ms, ack_by)
    SELECT open.id, open.attempt, instance.id, $3, open.function, open.message, open.start_ms, open.complete_ms,
      now() + open.ack_ms * interval '1 millisecond'
    FROM open, instance ORDER BY 1 ON CONFLICT DO NOTHING RETURNING job_id, attempt, instance_id
  ), holds AS (
    INSERT INTO job_holds (job_id, attempt, instance_id) SELECT job_id, attempt, instance_id FROM claims ORDER BY 1
    ON CONFLICT (job_id, attempt) DO UPDATE SET instance_id = excluded.instance_id, seen_at = now()
  )
  SELECT coalesce((SELECT json_agg(json_build_object('jobId', job_id, 'attempt', attempt)) FROM claims), '[]') AS claimed
  FROM instance`;
