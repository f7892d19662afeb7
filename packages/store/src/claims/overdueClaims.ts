import type { OverdueAttempt } from '../engine/overdue.ts';
import type { Store } from '../store.ts';

/** `unacked`: nobody acknowledged it in time; `unstarted`: it was, and never started; `left`: its holder is gone. */
export type ClaimFault = 'unacked' | 'unstarted' | 'left';

/** A claimed attempt that its holder will not, or may not, go on with. */
export interface OverdueClaim extends OverdueAttempt {
  fault: ClaimFault;
  /** Its holder did not leave but was superseded: it crashed with the job. */
  crashed: boolean;
}

/** Claims over HTTP whose time is over, or whose holder left or was superseded. */
export async function findOverdueClaims(store: Store, limit: number): Promise<OverdueClaim[]> {
  const { rows } = await store.pool.query<OverdueClaim>({
    name: 'find_overdue_claims',
    text: `SELECT j.id AS "jobId", j.order_id AS "orderId", j.attempt, j.worker_type AS "workerType",
        CASE WHEN i.state = 'gone' THEN 'left' WHEN c.acked_at IS NULL THEN 'unacked' ELSE 'unstarted' END AS fault,
        i.state = 'gone' AND EXISTS (SELECT FROM job_holds h WHERE h.job_id = c.job_id AND h.attempt = c.attempt) AS crashed
      FROM job_claims c JOIN jobs j ON j.id = c.job_id AND j.attempt = c.attempt
      JOIN worker_instances i ON i.id = c.instance_id
      WHERE c.ended_at IS NULL AND (j.state || '') IN ('invoked', 'queued', 'started') AND (i.state = 'gone'
        OR (j.state <> 'started' AND CASE WHEN c.acked_at IS NULL THEN c.ack_by < now()
          ELSE c.acked_at < now() - c.start_ms * interval '1 millisecond' END))
      LIMIT $1`,
    values: [limit],
  });
  return rows;
}

/** Closes claims whose attempt no longer counts, and forgets those that were closed a day ago. */
export async function closeClaims(store: Store): Promise<void> {
  await store.pool.query({
    name: 'close_claims',
    text: `UPDATE job_claims c SET ended_at = now() WHERE c.ended_at IS NULL AND NOT EXISTS (
             SELECT FROM jobs j WHERE j.id = c.job_id AND j.attempt = c.attempt
               AND (j.state || '') IN ('invoked', 'queued', 'started'))`,
  });
  await store.pool.query({
    name: 'forget_claims',
    text: `DELETE FROM job_claims WHERE claimed_at < now() - interval '1 day' AND ended_at < now() - interval '1 day'`,
  });
}
