import type { ClientId, JobId, JsonValue, OrderId, PlanId, Progress } from '@connecta/contracts';
import type { Extension } from '@connecta/domain';
import type { Store } from '../store.ts';
import type { Batch } from './batch.ts';
import type { StepFact } from './jobs.ts';
import { oneByOne } from './one-by-one.ts';
import type { JobKind, JobWork, WaitingJob } from './waiting.ts';
import { WAITING } from './waiting.ts';

/** How far a head's items are, and what is to be done for it next. */
export interface HeadWrite {
  id: JobId;
  /** `pending` for as long as a retry has not got to it. */
  state: 'waiting' | 'pending';
  total: number;
  created: number;
  done: number;
  failed: number;
  work: JobWork | null;
  /** The list of items, with the first of them. */
  input?: JsonValue;
  /** Of a list that its items extend. */
  extension?: Extension;
}

/**
 * The heads of steps whose items ended, by their whole key: the order and the step alone would have every batch read all
 * items of its lists. Their orders must be locked.
 */
export function findHeads(batch: Batch, wanted: readonly { orderId: OrderId; step: string }[]): Promise<WaitingJob[]> {
  return batch.run(
    'find_heads',
    `SELECT ${WAITING} FROM jobs j
     JOIN json_to_recordset($1::json) x("orderId" uuid, name text, head int)
       ON j.order_id = x."orderId" AND j.step = x.name AND j.item = x.head
     WHERE j.kind = 'head' AND ${oneByOne('length(x.name)')}`,
    [JSON.stringify(wanted.map(({ orderId, step }) => ({ orderId, name: step, head: 0 })))],
  );
}

/** Writes how far lists of items are: once for all items of a batch. The heads' orders must be locked. */
export function writeHeads(batch: Batch, heads: readonly HeadWrite[]): Promise<unknown> {
  return batch.run(
    'write_heads',
    `UPDATE jobs j SET state = x.state, not_before = CASE WHEN x.state = 'pending' THEN j.not_before END, items_total = x.total, items_created = x.created, items_done = x.done, items_failed = x.failed,
       input = coalesce(x.input, j.input), items_extension = coalesce(x.extension, j.items_extension), work = x.work, work_since = CASE WHEN x.work IS NOT NULL THEN now() END
     FROM json_to_recordset($1::json) x(id uuid, state text, total int, created int, done int, failed int, work text, input jsonb,
       extension jsonb)
     WHERE j.id = x.id AND j.state || '' IN ('waiting', 'pending') AND ${oneByOne('x.total')}`,
    [JSON.stringify(heads)],
  );
}

/** A job with work to be done outside of transactions, and what of its order that takes. */
export interface WorkJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  item: number;
  kind: JobKind;
  work: Exclude<JobWork, 'answer'>;
  attempt: number;
  input: JsonValue;
  itemsTotal: number | null;
  itemsCreated: number | null;
  itemsDone: number | null;
  itemsFailed: number | null;
  itemsExtension: Extension | null;
  clientId: ClientId;
  planId: PlanId;
  orderInput: JsonValue;
  params: { [name: string]: JsonValue };
  progress: Progress;
  createdBy: string;
}

const WORK = `j.id, j.order_id AS "orderId", j.step, j.item, j.kind, j.work, j.attempt, j.input, j.items_total AS "itemsTotal",
  j.items_created AS "itemsCreated", j.items_done AS "itemsDone", j.items_failed AS "itemsFailed",
  j.items_extension AS "itemsExtension", o.client_id AS "clientId",
  o.plan_id AS "planId", o.input AS "orderInput", o.params, o.progress, o.created_by AS "createdBy"`;

/** Of these jobs, those with work to be done. */
export async function findWork(store: Store, ids: readonly JobId[]): Promise<WorkJob[]> {
  const { rows } = await store.pool.query<WorkJob>({
    name: 'find_work',
    text: `SELECT ${WORK} FROM jobs j JOIN orders o ON o.id = j.order_id
       WHERE j.id = ANY($1::uuid[]) AND j.state = 'waiting' AND j.work <> 'answer'`,
    values: [ids],
  });
  return rows;
}

/** Work that nobody has done for a while, what waits longest first: whoever was to do it is gone, or could not. */
export async function findForgottenWork(store: Store, olderThanMs: number, limit: number): Promise<JobId[]> {
  const { rows } = await store.pool.query<{ id: JobId }>({
    name: 'find_forgotten_work',
    text: `SELECT id FROM jobs WHERE work IS NOT NULL AND work_since < now() - $1 * interval '1 millisecond'
       AND work <> 'answer' AND state = 'waiting' ORDER BY work_since LIMIT $2`,
    values: [olderThanMs, limit],
  });
  return rows.map((row) => row.id);
}

/** Lets work that could not be done rest, so that it is not in the way of other work. */
export async function postponeWork(store: Store, id: JobId, delayMs: number): Promise<void> {
  await store.pool.query({
    name: 'postpone_work',
    text: `UPDATE jobs SET work_since = now() + $2 * interval '1 millisecond' WHERE id = $1 AND work IS NOT NULL`,
    values: [id, delayMs],
  });
}

/** What became of steps of an order, outside of a transaction: steps that have ended do not change. */
export async function readStepFacts(
  store: Store,
  orderId: OrderId,
  steps: readonly string[],
): Promise<(StepFact & { step: string })[]> {
  const { rows } = await store.pool.query<StepFact & { step: string }>({
    name: 'read_step_facts',
    text: `SELECT step, state, result, error, outcome FROM jobs
       WHERE order_id = $1 AND step = ANY($2::text[]) AND item = 0`,
    values: [orderId, steps],
  });
  return rows;
}

/** The results of a step's items, in the order of the items, page by page. */
export async function readItemResults(
  store: Store,
  page: { orderId: OrderId; step: string; after: number; limit: number },
): Promise<{ item: number; state: string; result: JsonValue }[]> {
  const { rows } = await store.pool.query<{ item: number; state: string; result: JsonValue }>({
    name: 'read_item_results',
    text: `SELECT item, state, result FROM jobs WHERE order_id = $1 AND step = $2 AND item > $3 ORDER BY item LIMIT $4`,
    values: [page.orderId, page.step, page.after, page.limit],
  });
  return rows;
}

/** The results of those of some items that have completed. */
export async function readResultsOf(
  store: Store,
  { orderId, step, items }: { orderId: OrderId; step: string; items: readonly number[] },
): Promise<{ item: number; result: JsonValue }[]> {
  if (items.length === 0) return [];
  const { rows } = await store.pool.query<{ item: number; result: JsonValue }>({
    name: 'read_results_of',
    text: `SELECT item, result FROM jobs
       WHERE order_id = $1 AND step = $2 AND item = ANY($3::int[]) AND state = 'completed'`,
    values: [orderId, step, items],
  });
  return rows;
}

/** The list of a step's items, as its head keeps it; null of a step that has none. */
export async function readHeadList(store: Store, orderId: OrderId, step: string): Promise<{ list: JsonValue } | null> {
  const { rows } = await store.pool.query<{ list: JsonValue }>({
    name: 'read_head_list',
    text: `SELECT input AS list FROM jobs
       WHERE order_id = $1 AND step = $2 AND item = 0 AND kind = 'head' AND items_total IS NOT NULL`,
    values: [orderId, step],
  });
  return rows[0] ?? null;
}
