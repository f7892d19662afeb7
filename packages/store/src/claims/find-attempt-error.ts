import type { JobError, JobId, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/**
 * The error with which an attempt ended, as the order's history has it; null when it ended otherwise or not yet. The
 * job's row forgets it with the next attempt. Tried again at once, the event of the next attempt tells it.
 */
export async function findAttemptError(
  store: Store,
  { orderId, jobId, attempt }: { orderId: OrderId; jobId: JobId; attempt: number },
): Promise<JobError | null> {
  const { rows } = await store.pool.query<{ error: JobError }>({
    name: 'find_attempt_error',
    text: `SELECT event->'error' AS error FROM order_events e CROSS JOIN LATERAL jsonb_array_elements(e.events) event
           WHERE e.order_id = $1 AND event->>'jobId' = $2::text AND event->'error' IS NOT NULL
             AND ((event->>'attempt')::int = $3::int AND event->>'state' IN ('pending', 'error')
               OR (event->>'attempt')::int = $3::int + 1 AND event->>'state' = 'invoked')
           ORDER BY e.seq LIMIT 1`,
    values: [orderId, jobId, attempt],
  });
  return rows[0]?.error ?? null;
}
