import type { JobError, JobId, JsonValue, OrderId, OrderState } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** An order as whoever placed it follows it. */
export interface PlacedOrder {
  id: OrderId;
  clientName: string;
  createdBy: string;
  state: OrderState;
  parentJobId: JobId | null;
  /** Of a completed order; JSON null is a result too. */
  result: JsonValue;
  error: JobError | null;
  createdAt: Date;
  finishedAt: Date | null;
}

/** The order with this id; null when there is none. */
export async function findPlacedOrder(store: Store, id: OrderId): Promise<PlacedOrder | null> {
  const { rows } = await store.pool.query<PlacedOrder>({
    name: 'find_placed_order',
    text: `SELECT o.id, c.name AS "clientName", o.created_by AS "createdBy", o.state, o.parent_job_id AS "parentJobId",
             o.result, o.error, o.created_at AS "createdAt", o.finished_at AS "finishedAt"
           FROM orders o JOIN clients c ON c.id = o.client_id WHERE o.id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}
