import type { ClientId, JobId, JobState, JsonValue, OrderId, OrderState } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** What decides about the blobs of a job. */
export interface JobForBlobs {
  orderId: OrderId;
  clientId: ClientId;
  workerType: string;
  attempt: number;
  state: JobState;
  orderState: OrderState;
  /** Everything that the job was given and that may refer to blobs: input, context, the step's and the order's params. */
  given: JsonValue;
  /** Its input and its order's params: what files it may name stands in them. */
  input: JsonValue;
  params: JsonValue;
}

/** One job with what it was given; null when there is none. */
export async function findJobForBlobs(store: Store, id: JobId): Promise<JobForBlobs | null> {
  const { rows } = await store.pool.query<JobForBlobs>({
    name: 'find_job_for_blobs',
    text: `SELECT j.order_id AS "orderId", o.client_id AS "clientId", j.worker_type AS "workerType", j.attempt, j.state,
             o.state AS "orderState", j.input, o.params,
             jsonb_build_array(j.input, j.context, j.context_in, o.params, p.steps #> ARRAY['steps', j.step, 'params']) AS given
           FROM jobs j JOIN orders o ON o.id = j.order_id JOIN plans p ON p.id = o.plan_id WHERE j.id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

/** The orders that a job stands in, its own first: each with who placed it and, for a child order, the job that did. */
export async function findOrdersAbove(
  store: Store,
  jobId: JobId,
): Promise<{ orderId: OrderId; createdBy: string; parentJobId: JobId | null }[]> {
  const { rows } = await store.pool.query<{ orderId: OrderId; createdBy: string; parentJobId: JobId | null }>({
    name: 'find_orders_above',
    text: `WITH RECURSIVE above AS (
             SELECT o.id, o.created_by, o.parent_job_id, 1 AS depth
             FROM jobs j JOIN orders o ON o.id = j.order_id WHERE j.id = $1
             UNION ALL
             SELECT o.id, o.created_by, o.parent_job_id, above.depth + 1
             FROM above JOIN jobs j ON j.id = above.parent_job_id JOIN orders o ON o.id = j.order_id
             WHERE above.depth < 32)
           SELECT id AS "orderId", created_by AS "createdBy", parent_job_id AS "parentJobId" FROM above ORDER BY depth`,
    values: [jobId],
  });
  return rows;
}
