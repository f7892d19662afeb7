import type {
  BlobRef,
  ClientId,
  HistoryEvent,
  JobError,
  JobId,
  JsonValue,
  OrderId,
  OrderState,
  PlanId,
  Progress,
} from '@connecta/contracts';
import { CHANNELS, orderSignalOf } from '../signals/listen.ts';
import type { Batch } from './batch.ts';
import type { NewJob } from './jobs.ts';
import { oneByOne } from './one-by-one.ts';

/** An order as the engine sees it under its row lock. */
export interface LockedOrder {
  id: OrderId;
  clientId: ClientId;
  planId: PlanId;
  state: OrderState;
  epoch: number;
  version: number;
  progress: Progress;
  params: { [name: string]: JsonValue };
  /** 10 goes first. */
  priority: number;
  /** The job that waits for this order. */
  parentJobId: JobId | null;
  createdBy: string;
  traceparent: string;
  /** The order that this one runs again, and the step from which on everything runs in any case. */
  rerunOf: OrderId | null;
  rerunFrom: string | null;
  /** What root steps get as their context. */
  context: BlobRef | null;
  /** Null: the steps that say `cache` use the result cache; 0: none; else every cacheable function, for so long. */
  cacheTtlMs: number | null;
}

/** An accepted order with what its root steps get. */
export interface AcceptedOrder extends LockedOrder {
  input: JsonValue;
}

/** What a {@link LockedOrder} is read from. */
export const ORDER_COLUMNS = `id, client_id AS "clientId", plan_id AS "planId", state, epoch, version, progress, params, priority, parent_job_id AS "parentJobId",
  created_by AS "createdBy", traceparent, rerun_of AS "rerunOf", rerun_from AS "rerunFrom", context,
  cache_ttl_ms::float8 AS "cacheTtlMs"`;

/** Locks orders in id order (the one lock order of the system) and reads them; unknown ids are left out. */
export function lockOrders(batch: Batch, ids: readonly OrderId[]): Promise<LockedOrder[]> {
  return batch.run(
    'lock_orders',
    `SELECT ${ORDER_COLUMNS} FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`,
    [ids],
  );
}

/** What was taken as known of orders or jobs is no longer so: decide anew, on what is read under the orders' locks. */
export function isNotAsKnown(error: unknown): boolean {
  return (error as { code?: string } | null)?.code === NOT_AS_KNOWN;
}

/** The SQLSTATE that the function `as_known` raises. */
const NOT_AS_KNOWN = 'CN409';

/** Locks orders in id order; the batch fails unless each is active at the given version. */
export function lockKnownOrders(
  batch: Batch,
  orders: readonly Pick<LockedOrder, 'id' | 'version'>[],
): Promise<unknown> {
  return batch.run(
    'lock_known_orders',
    `WITH locked AS MATERIALIZED (
       SELECT id, version, state FROM orders WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE)
     SELECT as_known(count(*) = cardinality($1::uuid[])) FROM locked l
     JOIN unnest($1::uuid[], $2::int[]) known(id, version) ON known.id = l.id AND known.version = l.version
     WHERE l.state = 'active'`,
    [orders.map(({ id }) => id), orders.map(({ version }) => version)],
  );
}

/** The inputs of orders: of those that a decision asks for. */
export function findOrderInputs(batch: Batch, ids: readonly OrderId[]): Promise<{ id: OrderId; input: JsonValue }[]> {
  return batch.run('find_order_inputs', 'SELECT id, input FROM orders WHERE id = ANY($1::uuid[])', [ids]);
}

/** What a batch made of an order. */
export interface OrderWrite {
  id: OrderId;
  state: OrderState;
  version: number;
  progress: Progress;
  result?: JsonValue;
  error?: JobError;
}

/** Orders of a batch at most whose ends are told with its commit. */
const TELL_MOST = 8;

/** One row of an order's history: `seq` is the number of its first event. */
export interface HistoryRow {
  orderId: OrderId;
  seq: number;
  events: readonly HistoryEvent[];
}

/** What a batch writes of its orders: the rows, one row of history for each, and the jobs that begin. */
export interface OrderWrites {
  orders: readonly OrderWrite[];
  history: readonly HistoryRow[];
  jobs: readonly NewJob[];
}

/**
 * Writes orders that this batch holds locked, one row of history for each, and the jobs that begin (invoked under
 * attempt 1). One statement for all three: each one more is a message that wakes both sides (0.1 ms an order). It answers
 * with one row: a row an order would be a message each.
 *
 * A small batch tells who waits which of its orders may have ended, as its commit takes place; a large one leaves that
 * to the notifier, since Postgres serialises the commits that carry a signal. See {@link isTold}.
 */
export function writeOrders(batch: Batch, writes: OrderWrites): Promise<unknown> {
  return batch.run(
    'write_orders',
    `WITH ${writesOf(() => '')} SELECT count(told), count(freed) FROM written`,
    valuesOf(writes),
  );
}

/**
 * The parts of a statement that writes {@link valuesOf} orders. `only` is what comes behind each list of rows, with the
 * column that names the row's order: a join that leaves rows out, or nothing.
 */
export function writesOf(only: (orderId: string) => string): string {
  return `history AS (
       INSERT INTO order_events (order_id, seq, events)
       SELECT h."orderId", h.seq, h.events FROM json_to_recordset($2::json) h("orderId" uuid, seq int, events jsonb)
       ${only('h."orderId"')}),
     begun AS (
       INSERT INTO jobs (id, order_id, step, item, worker_type, function, profile_id, profile_revision, state, attempt, input, timers, invoked_at, give_up_at,
         fingerprint, context, context_in, result, origin, finished_at)
       SELECT b.id, b."orderId", b.step, b.item, b."workerType", b.function, b."profileId", b."profileRevision",
         CASE WHEN b.origin IS NULL THEN 'invoked' ELSE 'completed' END, CASE WHEN b.origin IS NULL THEN 1 ELSE 0 END,
         coalesce(b.input, 'null'), b.timers, CASE WHEN b.origin IS NULL THEN now() END,
         CASE WHEN b.origin IS NULL THEN now() + (b.timers->>'offlineMs')::bigint * interval '1 millisecond' END,
         b.fingerprint, b.context, b."contextIn", CASE WHEN b.origin IS NOT NULL THEN coalesce(b.result, 'null') END,
         b.origin, CASE WHEN b.origin IS NOT NULL THEN now() END
       FROM json_to_recordset($3::json) b(id uuid, "orderId" uuid, step text, item int, "workerType" text, function text,
         "profileId" uuid, "profileRevision" int, input jsonb, timers jsonb, fingerprint text, context jsonb,
         "contextIn" jsonb, result jsonb, origin jsonb)
       ${only('b."orderId"')}),
     written AS (
       UPDATE orders o SET state = x.state, version = x.version, progress = x.progress,
         result = coalesce(x.result, o.result), error = x.error,
         finished_at = CASE WHEN x.state IN ('completed', 'failed') THEN now() END
       FROM json_to_recordset($1::json) x(id uuid, state text, version int, progress jsonb, result jsonb, error jsonb,
         signal text)
       ${only('x.id')}
       WHERE o.id = x.id AND ${oneByOne('x.version')}
       RETURNING CASE WHEN x.signal IS NOT NULL THEN pg_notify('${CHANNELS.orders}', x.signal)::text END AS told,
         CASE WHEN o.concurrency_key IS NOT NULL AND x.state IN ('completed', 'failed')
           THEN pg_notify('${CHANNELS.intake}', '')::text END AS freed)`;
}

/** The values of {@link writesOf}: `$1` to `$3`. */
export function valuesOf({ orders, history, jobs }: OrderWrites): string[] {
  return [
    JSON.stringify(isTold(orders) ? orders.map(withSignal) : orders),
    JSON.stringify(history),
    JSON.stringify(jobs),
  ];
}

/** Whether {@link writeOrders} tells of those among these orders that may have ended. */
export function isTold(orders: readonly OrderWrite[]): boolean {
  return orders.length <= TELL_MOST;
}

function withSignal(order: OrderWrite): OrderWrite & { signal?: string } {
  return order.state === 'active' ? order : { ...order, signal: orderSignalOf([{ orderId: order.id, open: false }]) };
}
