import type { ClientId, JobId, JsonValue, OrderId, PlanId } from '@connecta/contracts';
import type { Batch } from './batch.ts';

/** An order that a step of another order is. */
export interface ChildOrder {
  id: OrderId;
  clientId: ClientId;
  planId: PlanId;
  input: JsonValue;
  params: { [name: string]: JsonValue };
  parentJobId: JobId;
  createdBy: string;
  traceparent: string;
}

/** Accepts orders in the transaction that makes the jobs which wait for them. */
export function insertChildOrders(batch: Batch, orders: readonly ChildOrder[]): Promise<unknown> {
  return batch.run(
    'insert_child_orders',
    `INSERT INTO orders (id, client_id, plan_id, input, params, created_by, traceparent, parent_job_id)
     SELECT x.id, x."clientId", x."planId", coalesce(x.input, 'null'), x.params, x."createdBy", x.traceparent, x."parentJobId"
     FROM json_to_recordset($1::json) x(id uuid, "clientId" uuid, "planId" uuid, input jsonb, params jsonb,
       "createdBy" text, traceparent text, "parentJobId" uuid)`,
    [JSON.stringify(orders)],
  );
}
