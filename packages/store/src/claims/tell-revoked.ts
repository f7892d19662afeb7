import type { WorkerInstanceId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import type { HeldAttempt } from '../workers/record-heartbeat.ts';

/** What an instance claimed and must not go on with. */
export interface Revoked {
  /** Attempts of cancelled orders. */
  cancel: HeldAttempt[];
  /** Attempts that another one has replaced. */
  stale: HeldAttempt[];
}

/** Closes an instance's claims whose order was cancelled or whose job went on without it: so each is told once. */
export async function tellRevoked(store: Store, workerId: WorkerInstanceId): Promise<Revoked> {
  const { rows } = await store.pool.query<HeldAttempt & { cancelled: boolean }>({
    name: 'tell_revoked',
    text: `UPDATE job_claims c SET ended_at = now() FROM jobs j JOIN orders o ON o.id = j.order_id
           WHERE c.instance_id = $1 AND c.ended_at IS NULL AND j.id = c.job_id
             AND (j.attempt <> c.attempt OR (j.state || '') = 'cancelled' OR (o.state || '') = 'cancelled')
           RETURNING c.job_id AS "jobId", c.attempt,
             (j.state || '') = 'cancelled' OR (o.state || '') = 'cancelled' AS cancelled`,
    values: [workerId],
  });
  const of = (cancelled: boolean): HeldAttempt[] =>
    rows.filter((row) => row.cancelled === cancelled).map(({ jobId, attempt }) => ({ jobId, attempt }));
  return { cancel: of(true), stale: of(false) };
}
