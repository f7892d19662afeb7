import {
  DEFAULT_PRIORITY,
  type BlobRef,
  type ClientId,
  type JobId,
  type JsonValue,
  type OrderId,
  type PlanId,
} from '@connecta/contracts';
import type pg from 'pg';
import { intakeSignalOf } from '../signals/intake-signal.ts';
import { CHANNELS } from '../signals/listen.ts';
import type { Store } from '../store.ts';

/** An order about to be accepted. With `scope` and `key` it is inserted only if that key was free. */
export interface NewOrder {
  id: OrderId;
  clientId: ClientId;
  planId: PlanId;
  input: JsonValue;
  params?: { [name: string]: JsonValue } | undefined;
  createdBy: string;
  traceparent: string;
  parentJobId?: JobId | undefined;
  /** 10 goes first; without it 5. */
  priority?: number | undefined;
  /** Of orders with one key so many are active at once. */
  concurrencyKey?: string | undefined;
  concurrencyMax?: number | undefined;
  /** Called when the order ends. */
  webhook?: string | undefined;
  /** The order that this one runs again, and the step from which on everything is to run. */
  rerunOf?: OrderId | undefined;
  rerunFrom?: string | undefined;
  /** What root steps get as their context. */
  context?: BlobRef | undefined;
  /** See `orders.cache_ttl_ms`. */
  cacheTtlMs?: number | undefined;
  scope?: string | undefined;
  key?: string | undefined;
}

/** What a request under an Idempotency-Key led to; each scope and key at most once in one call. */
export interface NewKey {
  scope: string;
  key: string;
  bodyHash: string;
  answer: JsonValue;
}

/** Orders to be committed with their keys. */
export interface OrdersToInsert {
  orders: readonly NewOrder[];
  keys: readonly NewKey[];
  /** The state of clients, workflows and profiles that all of them were decided by; null: whatever it is by now. */
  generation: string | null;
}

/** What became of them. `stale`: something of what they were decided by has changed, and nothing was written. */
export type InsertedOrders = { state: 'inserted'; freeKeys: { scope: string; key: string }[] } | { state: 'stale' };

/**
 * Commits orders with their Idempotency-Keys in one statement and tells the orchestrator once: of an order alone all that
 * it needs to plan it. A key that is taken keeps its orders out (a concurrent insert of the same key is waited for); one
 * older than 24 hours counts as free.
 */
export async function insertOrders(store: Store, given: OrdersToInsert): Promise<InsertedOrders> {
  return insert(store.pool, given);
}

/** The same for orders without keys on a connection, as a part of its transaction. */
export async function insertOrdersOn(
  connection: Pick<pg.ClientBase, 'query'>,
  orders: readonly NewOrder[],
): Promise<void> {
  await insert(connection, { orders, keys: [], generation: null });
}

async function insert(
  connection: Pick<pg.ClientBase, 'query'>,
  { orders, keys, generation }: OrdersToInsert,
): Promise<InsertedOrders> {
  const rowsJson = JSON.stringify(orders);
  const signal = rowsJson.length <= MOST_TOLD_CHARS ? signalOf(orders) : '';
  const { rows } = await connection.query<{ holds: boolean | null; keys: { scope: string; key: string }[] }>({
    name: 'insert_orders',
    text: `WITH known AS (
        SELECT $3::uuid IS NULL OR $3::uuid = (SELECT g.generation FROM intake_generation g WHERE g.one) AS holds),
      keys AS (
        INSERT INTO idempotency_keys AS k (scope, key, body_hash, answer)
        SELECT x.scope, x.key, x."bodyHash", x.answer
        FROM json_to_recordset($2::json) x(scope text, key text, "bodyHash" text, answer jsonb)
        WHERE (SELECT holds FROM known) ORDER BY 1, 2
        ON CONFLICT (scope, key) DO UPDATE SET body_hash = excluded.body_hash, answer = excluded.answer, created_at = now()
          WHERE k.created_at <= now() - interval '24 hours'
        RETURNING k.scope, k.key),
      inserted AS (
        INSERT INTO orders (id, client_id, plan_id, input, params, created_by, traceparent, parent_job_id, webhook,
          rerun_of, rerun_from, context, cache_ttl_ms, priority, concurrency_key, concurrency_max)
        SELECT x.id, x."clientId", x."planId", coalesce(x.input, 'null'), coalesce(x.params, '{}'), x."createdBy",
          x.traceparent, x."parentJobId", x.webhook, x."rerunOf", x."rerunFrom", x.context, x."cacheTtlMs",
          coalesce(x.priority, CASE WHEN x."parentJobId" IS NOT NULL THEN (
            SELECT p.priority FROM jobs j JOIN orders p ON p.id = j.order_id WHERE j.id = x."parentJobId") END, ${DEFAULT_PRIORITY}),
          x."concurrencyKey", x."concurrencyMax"
        FROM json_to_recordset($1::json) x(id uuid, "clientId" uuid, "planId" uuid, input jsonb, params jsonb,
          "createdBy" text, traceparent text, "parentJobId" uuid, webhook text, "rerunOf" uuid, "rerunFrom" text,
          context jsonb, "cacheTtlMs" bigint, priority int, "concurrencyKey" text, "concurrencyMax" int, scope text, key text)
        WHERE (SELECT holds FROM known) AND (x.key IS NULL OR (x.scope, x.key) IN (SELECT scope, key FROM keys))
        RETURNING id)
      SELECT known.holds, coalesce((SELECT json_agg(json_build_object('scope', scope, 'key', key)) FROM keys), '[]') AS keys,
        CASE WHEN known.holds
          THEN pg_notify('${CHANNELS.intake}', CASE WHEN EXISTS (SELECT FROM inserted) THEN $4 ELSE '' END) END
      FROM known`,
    values: [rowsJson, JSON.stringify(keys), generation, signal],
  });
  const [row] = rows;
  return row?.holds ? { state: 'inserted', freeKeys: row.keys } : { state: 'stale' };
}

/** What is longer does not fit into a signal: no second JSON of a large input is made to find that out. */
const MOST_TOLD_CHARS = 10_000;

/** The signal of an order alone tells the order, unless more is needed to plan it than it says itself. */
function signalOf([order, ...others]: readonly NewOrder[]): string {
  if (!order || others.length > 0) return '';
  const { id, clientId, planId, createdBy, traceparent, parentJobId, rerunOf, concurrencyKey } = order;
  if (parentJobId !== undefined || rerunOf !== undefined || concurrencyKey !== undefined) return '';
  const { input, params = {}, priority = DEFAULT_PRIORITY, context = null, cacheTtlMs = null } = order;
  const told = { id, clientId, planId, createdBy, traceparent, input, params, priority, context, cacheTtlMs };
  return intakeSignalOf(told);
}

/** Forgets keys that no longer count. */
export async function forgetOldKeys(store: Store): Promise<void> {
  await store.pool.query(`DELETE FROM idempotency_keys WHERE created_at < now() - interval '25 hours'`);
}
