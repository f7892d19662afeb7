import type { BlobRef, ClientId, JobError, JobId, JsonValue, OrderId, OrderState, PlanId } from '@connecta/contracts';
import type { Batch } from './batch.ts';

/** An order that a step of another order is. */
export interface ChildOrder {
  id: OrderId;
  clientId: ClientId;
  planId: PlanId;
  input: JsonValue;
  params: { [name: string]: JsonValue };
  parentJobId: JobId;
  parentAttempt: number;
  priority: number;
  createdBy: string;
  traceparent: string;
  /** What its root steps get as their context. */
  context: BlobRef | null;
}

/** Accepts orders in the transaction that makes the jobs which wait for them. */
export function insertChildOrders(batch: Batch, orders: readonly ChildOrder[]): Promise<unknown> {
  return batch.run(
    'insert_child_orders',
    `INSERT INTO orders (id, client_id, plan_id, input, params, created_by, traceparent, parent_job_id, parent_attempt, priority, context)
     SELECT x.id, x."clientId", x."planId", coalesce(x.input, 'null'), x.params, x."createdBy", x.traceparent, x."parentJobId", x."parentAttempt", x.priority, x.context
     FROM json_to_recordset($1::json) x(id uuid, "clientId" uuid, "planId" uuid, input jsonb, params jsonb,
       "createdBy" text, traceparent text, "parentJobId" uuid, "parentAttempt" int, priority int, context jsonb)`,
    [JSON.stringify(orders)],
  );
}

/** The order that a job is. */
export interface ChildEnd {
  jobId: JobId;
  /** The attempt that waits for it; null of orders of older versions. */
  parentAttempt: number | null;
  orderId: OrderId;
  state: OrderState;
  result: JsonValue;
  error: JobError | null;
  /** That of its one output. */
  context: BlobRef | null;
}

/**
 * The newest of several orders of one job: that of its last attempt. Ids are no measure, for replicas whose clocks differ
 * make them.
 */
export const NEWEST_CHILD = 'parent_attempt DESC NULLS LAST, id DESC';

/** The newest order of each job. An order that has ended needs no lock: only a retry, of which its job knows, moves it. */
export function findChildren(batch: Batch, jobIds: readonly JobId[]): Promise<ChildEnd[]> {
  return batch.run(
    'find_children',
    `SELECT child.*, (SELECT j.context FROM plans p JOIN jobs j ON j.order_id = child."orderId" AND j.step = p.steps->'outputs'->>0 AND j.item = 0
         WHERE p.id = child."planId" AND json_array_length(p.steps->'outputs') = 1) AS context
     FROM (SELECT DISTINCT ON (parent_job_id) parent_job_id AS "jobId", parent_attempt AS "parentAttempt", id AS "orderId", state,
         result, error, plan_id AS "planId"
       FROM orders WHERE parent_job_id = ANY($1::uuid[]) ORDER BY parent_job_id, ${NEWEST_CHILD}) child`,
    [jobIds],
  );
}
