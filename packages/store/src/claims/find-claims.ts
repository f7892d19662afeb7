import type { WorkerInstanceId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import type { Claim } from './record-claims.ts';

/** What an instance was given under one request and may still work on: nothing of it was replaced, ended or given up. */
export async function findClaims(store: Store, workerId: WorkerInstanceId, requestId: string): Promise<Claim[]> {
  const { rows } = await store.pool.query<Claim>({
    name: 'find_claims',
    text: `SELECT c.job_id AS "jobId", c.attempt, c.function, c.message, j.order_id AS "orderId", j.step,
             c.ack_by AS "ackBy", c.start_ms AS "startMs", c.complete_ms AS "completeMs"
           FROM job_claims c JOIN jobs j ON j.id = c.job_id AND j.attempt = c.attempt
           JOIN orders o ON o.id = j.order_id
           WHERE c.instance_id = $1 AND c.request_id = $2 AND c.ended_at IS NULL AND o.state = 'active'
             AND (j.state || '') IN ('invoked', 'queued', 'started') ORDER BY c.job_id LIMIT 1000`,
    values: [workerId, requestId],
  });
  return rows;
}
