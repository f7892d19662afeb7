import type { JobId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/**
 * Confirms that an attempt is held: its ack timer stops, its hold is renewed, and the instance that claimed it was seen,
 * or the one that registered under its name since: the work went on under the new registration. The caller has made sure
 * that the attempt is its job's open one. Without a claim (a worker that takes from the queue itself) there is nothing to
 * confirm. The instance is written before the claim, as everywhere: otherwise a heartbeat could wait for this in a circle.
 */
export async function confirmClaim(store: Store, held: { jobId: JobId; attempt: number }): Promise<void> {
  await store.pool.query({
    name: 'confirm_claim',
    text: `WITH holder AS (
        UPDATE worker_instances i SET last_seen_at = now(), ended_at = NULL,
          state = CASE WHEN i.state = 'lost' THEN CASE WHEN i.drain_asked_at IS NULL THEN 'ready' ELSE 'draining' END ELSE i.state END
        FROM job_claims c JOIN worker_instances claimer ON claimer.id = c.instance_id
        WHERE c.job_id = $1 AND c.attempt = $2 AND c.ended_at IS NULL AND i.state <> 'gone'
          AND i.worker_type = claimer.worker_type AND i.instance = claimer.instance
        RETURNING i.id
      ), claim AS (
        UPDATE job_claims SET acked_at = coalesce(acked_at, now()),
          instance_id = coalesce((SELECT id FROM holder LIMIT 1), instance_id)
        WHERE job_id = $1 AND attempt = $2 AND ended_at IS NULL
        RETURNING job_id, attempt, instance_id
      )
      INSERT INTO job_holds (job_id, attempt, instance_id) SELECT job_id, attempt, instance_id FROM claim
      ON CONFLICT (job_id, attempt) DO UPDATE SET instance_id = excluded.instance_id, seen_at = now()`,
    values: [held.jobId, held.attempt],
  });
}
