import type { BlobRef, JobError, JobId, JobState, JsonValue, OrderId, ProfileId } from '@connecta/contracts';
import type { Extension, GivenContext, JobTimers } from '@connecta/domain';
import type { Batch } from './batch.ts';
import { oneByOne } from './one-by-one.ts';

/**
 * What a job is: work of a worker (`task`), or of the engine itself: a wait, an order of its own, the head of a list of
 * items, or a step whose large values are being read (`resolve`) before it becomes one of the others.
 */
export type JobKind = 'task' | 'wait' | 'order' | 'head' | 'resolve';

/** What has to be done for a job outside of its order's transactions. */
export type JobWork = 'resolve' | 'expand' | 'extend' | 'again' | 'gather' | 'answer';

/** A job that does not begin as a command: it waits, or ends with its beginning. Written whole. */
export interface OtherJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  item: number;
  kind: JobKind;
  state: 'waiting' | 'invoked' | 'error' | 'skipped';
  attempt: number;
  input: JsonValue;
  error?: JobError;
  /** Of a task. */
  workerType?: string;
  function?: string;
  profileId?: ProfileId;
  profileRevision?: number;
  timers?: JobTimers | undefined;
  /** When the wait is over: so long from now, or at a time (ISO 8601). */
  dueInMs?: number;
  dueAt?: string;
  work?: JobWork;
  itemKey?: string;
  fingerprint?: string | null;
  context?: BlobRef | null;
  contextIn?: GivenContext | null;
  /** Of an item: how long the list was that it is computed with, and the attempt whose end stood before. */
  seen?: number;
  superseded?: number;
}

/** Makes jobs, or makes others of those that wait. The jobs' orders must be locked. */
export function writeOtherJobs(batch: Batch, jobs: readonly OtherJob[]): Promise<unknown> {
  return batch.run(
    'write_other_jobs',
    `INSERT INTO jobs AS j (id, order_id, step, item, kind, state, attempt, input, error, worker_type, function, profile_id,
       profile_revision, due_at, work, work_since, item_key, invoked_at, finished_at, timers, give_up_at,
       fingerprint, context, context_in, items_seen, superseded)
     SELECT x.id, x."orderId", x.step, x.item, x.kind, x.state, x.attempt, coalesce(x.input, 'null'), x.error,
       x."workerType", x.function, x."profileId", x."profileRevision",
       coalesce(x."dueAt", now() + x."dueInMs" * interval '1 millisecond'), x.work,
       CASE WHEN x.work IS NOT NULL THEN now() END, x."itemKey", CASE WHEN x.state = 'invoked' THEN now() END,
       CASE WHEN x.state IN ('error', 'skipped') THEN now() END, x.timers,
       CASE WHEN x.state = 'invoked' THEN now() + (x.timers->>'offlineMs')::bigint * interval '1 millisecond' END,
       x.fingerprint, x.context, x."contextIn", x.seen, x.superseded
     FROM json_to_recordset($1::json) x(id uuid, "orderId" uuid, step text, item int, kind text, state text, attempt int,
       input jsonb, error jsonb, "workerType" text, function text, "profileId" uuid, "profileRevision" int,
       "dueAt" timestamptz, "dueInMs" bigint, work text, "itemKey" text, timers jsonb, fingerprint text, context jsonb,
       "contextIn" jsonb, seen int, superseded int)
     ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, state = excluded.state, attempt = excluded.attempt,
       input = excluded.input, error = excluded.error, worker_type = excluded.worker_type, function = excluded.function,
       profile_id = excluded.profile_id, profile_revision = excluded.profile_revision, due_at = excluded.due_at,
       work = excluded.work, work_since = excluded.work_since, invoked_at = excluded.invoked_at,
       finished_at = excluded.finished_at, timers = excluded.timers, give_up_at = excluded.give_up_at,
       fingerprint = excluded.fingerprint, context = excluded.context,
       context_in = coalesce(excluded.context_in, j.context_in), result = NULL, decision = NULL,
       items_seen = coalesce(excluded.items_seen, j.items_seen), superseded = coalesce(excluded.superseded, j.superseded),
       lost = 0, failed = 0, crashed = 0, handed_back = 0,
       outcome = NULL, instance = NULL, progress = NULL, started_at = NULL, ran_version = NULL,
       queued_at = NULL, not_before = NULL, complete_by = NULL`,
    [JSON.stringify(jobs)],
  );
}

/** A waiting job as the engine decides on it. */
export interface WaitingJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  item: number;
  kind: JobKind;
  state: JobState;
  attempt: number;
  input: JsonValue;
  decision: WaitDecision | null;
  /** What of context the job was given by the steps before it. */
  contextIn?: GivenContext | null;
  /** Whether its time has come. */
  due: boolean;
  work: JobWork | null;
  itemsTotal: number | null;
  itemsCreated: number | null;
  itemsDone: number | null;
  itemsFailed: number | null;
  itemsExtension: Extension | null;
}

/** What a callback or a person answered, kept with the job until the orchestrator applies it, and after. */
export interface WaitDecision {
  /** None of a callback. */
  decision?: 'approve' | 'reject' | 'edit';
  value?: JsonValue;
  comment?: string;
  by: string;
  /** ISO 8601. */
  at: string;
}

export const WAITING = `id, order_id AS "orderId", step, item, kind, state, attempt, input, decision, context_in AS "contextIn",
  coalesce(due_at <= now(), false) AS due,
  work, items_total AS "itemsTotal", items_created AS "itemsCreated", items_done AS "itemsDone", items_failed AS "itemsFailed",
  items_extension AS "itemsExtension"`;

/** Reads jobs that wait and keeps answers to them out until the commit. Their orders must be locked. */
export function lockWaitingJobs(batch: Batch, ids: readonly JobId[]): Promise<WaitingJob[]> {
  return batch.run(
    'lock_waiting_jobs',
    `SELECT ${WAITING} FROM jobs WHERE id = ANY($1::uuid[]) AND state = 'waiting' ORDER BY id FOR UPDATE`,
    [ids],
  );
}

/** The end of a waiting job. */
export interface WaitEndRow {
  id: JobId;
  state: 'completed' | 'error';
  result: JsonValue;
  error: JobError | null;
  outcome: string | null;
  /** What the steps behind are given. */
  context: BlobRef | null;
}

/** Ends jobs that wait. They must have been read under lock in this batch. */
export function endWaitingJobs(batch: Batch, ends: readonly WaitEndRow[]): Promise<unknown> {
  return batch.run(
    'end_waiting_jobs',
    `UPDATE jobs j SET state = x.state, result = CASE WHEN x.state = 'completed' THEN coalesce(x.result, 'null') END,
       error = x.error, outcome = x.outcome, context = coalesce(x.context, j.context), finished_at = now(), due_at = NULL, work = NULL, work_since = NULL
     FROM json_to_recordset($1::json) x(id uuid, state text, result jsonb, error jsonb, outcome text, context jsonb)
     WHERE j.id = x.id AND j.state || '' = 'waiting' AND ${oneByOne('length(x.state)')}`,
    [JSON.stringify(ends)],
  );
}
