import type { OverdueAttempt } from '../engine/overdue.ts';
import type { Store } from '../store.ts';

/**
 * `unacked`: nobody acknowledged it in time; `unstarted`: it was, and never started; `unheld`: it was, and nobody says any
 * more that he has it; `left`: its holder left, or another process registered in its place and does not have it.
 */
export type ClaimFault = 'unacked' | 'unstarted' | 'unheld' | 'left';

/** A claimed attempt that its holder will not, or may not, go on with. */
export interface OverdueClaim extends OverdueAttempt {
  fault: ClaimFault;
  /** Its holder did not leave: it was lost or superseded with the job in its hands. */
  crashed: boolean;
}

/**
 * Claims over HTTP whose time is over, or whose holder left, was superseded or is not heard of for `holdMs`. (Of started
 * attempts the last is found with all runs.) Who leaves takes his holds with him: then nobody has the job. An instance
 * that registered anew may still have it, and says so within three of its intervals.
 */
export async function findOverdueClaims(store: Store, holdMs: number, limit: number): Promise<OverdueClaim[]> {
  const { rows } = await store.pool.query<OverdueClaim>({
    name: 'find_overdue_claims',
    text: `SELECT j.id AS "jobId", j.order_id AS "orderId", j.attempt, j.worker_type AS "workerType",
        CASE WHEN over.gone THEN 'left' WHEN c.acked_at IS NULL THEN 'unacked' WHEN over.unheld THEN 'unheld'
          ELSE 'unstarted' END AS fault,
        i.state IN ('lost', 'gone') AND h.job_id IS NOT NULL AS crashed
      FROM job_claims c JOIN jobs j ON j.id = c.job_id AND j.attempt = c.attempt
      JOIN worker_instances i ON i.id = c.instance_id
      LEFT JOIN job_holds h ON h.job_id = c.job_id AND h.attempt = c.attempt
      CROSS JOIN LATERAL (SELECT
        i.state = 'gone' AND (h.job_id IS NULL
          OR greatest(i.ended_at, h.seen_at) < now() - 3 * i.heartbeat_ms * interval '1 millisecond') AS gone,
        coalesce(h.seen_at, c.acked_at) < now() - $1 * interval '1 millisecond' AS unheld) over
      WHERE c.ended_at IS NULL AND (j.state || '') IN ('invoked', 'queued', 'started') AND (over.gone
        OR (j.state <> 'started' AND CASE WHEN c.acked_at IS NULL THEN c.ack_by < now()
          ELSE over.unheld OR c.acked_at < now() - c.start_ms * interval '1 millisecond' END))
      LIMIT $2`,
    values: [holdMs, limit],
  });
  return rows;
}

/**
 * Closes claims whose attempt has not counted for a minute (until then their instance is told with its next claim), and forgets those that were closed a day ago.
 */
export async function closeClaims(store: Store): Promise<void> {
  await store.pool.query({
    name: 'close_claims',
    text: `UPDATE job_claims c SET ended_at = now() WHERE c.ended_at IS NULL AND NOT EXISTS (
             SELECT FROM jobs j WHERE j.id = c.job_id AND j.attempt = c.attempt
               AND (j.state || '') IN ('invoked', 'queued', 'started'))
             AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = c.job_id
               AND greatest(j.finished_at, j.invoked_at) > now() - interval '1 minute')`,
  });
  await store.pool.query({
    name: 'forget_claims',
    text: `DELETE FROM job_claims WHERE claimed_at < now() - interval '1 day' AND ended_at < now() - interval '1 day'`,
  });
}
