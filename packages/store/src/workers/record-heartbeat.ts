import type { JobId, WorkerInstanceId } from '@connecta/contracts';
import type { Store } from '../store.ts';

export interface HeldAttempt {
  jobId: JobId;
  attempt: number;
}

/** What an instance says: it lives, it holds these attempts. */
export interface Heartbeat {
  workerId: WorkerInstanceId;
  /** The type that the sender may speak for. */
  workerType: string;
  freeSlots: number;
  draining: boolean;
  held: readonly (HeldAttempt & { progress?: number | undefined })[];
  /** How much longer an attempt may run after progress, and its longest run, where its job has no other; milliseconds. */
  completeMs: number;
  completeCapMs: number;
}

export interface HeartbeatVerdict {
  drain: boolean;
  /** Attempts of cancelled orders. */
  cancel: HeldAttempt[];
  /** Attempts that are not their job's current open one, or of no job of this type. */
  stale: HeldAttempt[];
}

/**
 * Records a heartbeat by the database's clock, in one statement: the instance was seen (one that counted as lost is ready
 * again), and which of the attempts it lists it holds rightly. Null when there is no such live instance of the type.
 */
export async function recordHeartbeat(store: Store, heartbeat: Heartbeat): Promise<HeartbeatVerdict | null> {
  const { workerId, workerType, freeSlots, draining, held } = heartbeat;
  const { rows } = await store.pool.query<{ state: string; cancel: HeldAttempt[]; stale: HeldAttempt[] }>({
    name: 'record_heartbeat',
    text: RECORD_HEARTBEAT,
    values: [workerId, workerType, freeSlots, draining, JSON.stringify(held)],
  });
  const [row] = rows;
  if (!row) return null;
  if (held.some(({ progress }) => progress !== undefined)) await recordHeldProgress(store, heartbeat);
  return { drain: row.state === 'draining', cancel: row.cancel, stale: row.stale };
}

/**
 * Claims follow the work: an instance that registered anew goes on with what it claimed before.
 * Holds are written in job order: two instances that list the same jobs wait for each other instead of deadlocking.
 */
const RECORD_HEARTBEAT = `
  WITH instance AS (
    UPDATE worker_instances SET last_seen_at = now(), free_slots = least($3::int, slots), ended_at = NULL,
      state = CASE WHEN $4 OR drain_asked_at IS NOT NULL THEN 'draining' WHEN state = 'lost' THEN 'ready' ELSE state END
    WHERE id = $1 AND worker_type = $2 AND state <> 'gone' RETURNING id, state, instance
  ), told AS (
    SELECT DISTINCT t."jobId" AS job_id, t.attempt FROM json_to_recordset($5::json) t("jobId" uuid, attempt int)
  ), judged AS (
    SELECT told.job_id, told.attempt,
      CASE WHEN j.id IS NULL THEN 'stale'
        WHEN j.state = 'cancelled' OR o.state = 'cancelled' THEN 'cancel'
        WHEN j.attempt = told.attempt AND j.state IN ('invoked', 'queued', 'started') THEN 'held'
        ELSE 'stale' END AS verdict
    FROM told LEFT JOIN jobs j ON j.id = told.job_id AND j.worker_type = $2 LEFT JOIN orders o ON o.id = j.order_id
  ), holds AS (
    INSERT INTO job_holds (job_id, attempt, instance_id)
    SELECT judged.job_id, judged.attempt, instance.id FROM judged, instance WHERE verdict = 'held' ORDER BY 1, 2
    ON CONFLICT (job_id, attempt) DO UPDATE SET instance_id = excluded.instance_id, seen_at = now()
  ), claims AS (
    UPDATE job_claims c SET instance_id = instance.id FROM judged, instance, worker_instances claimer
    WHERE judged.verdict = 'held' AND c.job_id = judged.job_id AND c.attempt = judged.attempt AND c.ended_at IS NULL
      AND c.instance_id <> instance.id AND claimer.id = c.instance_id AND claimer.worker_type = $2
      AND claimer.instance = instance.instance
  )
  SELECT instance.state, listed.cancel, listed.stale FROM instance, (
    SELECT coalesce(json_agg(json_build_object('jobId', job_id, 'attempt', attempt)) FILTER (WHERE verdict = 'cancel'), '[]') AS cancel,
      coalesce(json_agg(json_build_object('jobId', job_id, 'attempt', attempt)) FILTER (WHERE verdict = 'stale'), '[]') AS stale
    FROM judged) listed`;

/**
 * Progress that went on extends the attempt's time, as an event of progress does. Rows that a batch of the engine has
 * locked are passed over: waiting for them could deadlock, and the next heartbeat comes soon. (The state stands in an
 * expression so that the planner looks jobs up by id and not all open ones of the type.)
 */
async function recordHeldProgress(store: Store, heartbeat: Heartbeat): Promise<void> {
  await store.pool.query({
    name: 'record_held_progress',
    text: `WITH told AS (
        SELECT t."jobId" AS job_id, t.attempt, max(t.progress) AS progress
        FROM json_to_recordset($1::json) t("jobId" uuid, attempt int, progress real) WHERE t.progress IS NOT NULL GROUP BY 1, 2
      ), free AS (
        SELECT j.id, told.progress FROM jobs j JOIN told ON told.job_id = j.id AND told.attempt = j.attempt
        WHERE j.worker_type = $2 AND j.state || '' = 'started' AND (j.progress IS NULL OR j.progress < told.progress)
        ORDER BY j.id FOR UPDATE OF j SKIP LOCKED
      )
      UPDATE jobs j SET progress = free.progress, complete_by = least(
        now() + coalesce((j.timers->>'completeMs')::bigint, $3) * interval '1 millisecond',
        j.started_at + coalesce((j.timers->>'completeCapMs')::bigint, $4) * interval '1 millisecond')
      FROM free WHERE j.id = free.id`,
    values: [JSON.stringify(heartbeat.held), heartbeat.workerType, heartbeat.completeMs, heartbeat.completeCapMs],
  });
}
