import type { BlobRef, JobError, JobId, JobState, JsonValue, NewItems, OrderId, ProfileId } from '@connecta/contracts';
import type { GivenContext, JobTimers } from '@connecta/domain';
import type { Batch } from './batch.ts';
import { oneByOne } from './one-by-one.ts';
import type { JobKind } from './waiting.ts';

/** A job as the engine decides on it. */
export interface EngineJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  item: number;
  kind: JobKind;
  /** Null of a job that is none of a worker, or never became one. */
  workerType: string;
  function: string;
  profileId: ProfileId;
  profileRevision: number;
  state: JobState;
  attempt: number;
  lost: number;
  failed: number;
  /** Of the lost deliveries, those that were lost together with the worker that had them. */
  crashed: number;
  /** Deliveries that their worker gave back because it had to stop. */
  handedBack: number;
  input: JsonValue;
  context: BlobRef | null;
  /** What of context the job was given by the steps before it. */
  contextIn?: GivenContext | null;
  instance: string | null;
  result: JsonValue;
  /** Of an item that was computed again: the attempt whose end stood before. */
  superseded: number | null;
}

/** A timer of the job's own, or the given one. */
const timerOf = (name: keyof JobTimers, otherwise: string): string =>
  `coalesce((j.timers->>'${name}')::bigint, ${otherwise}) * interval '1 millisecond'`;

/** A worker's report of a completed attempt, its lease already verified. */
export interface CompletedReport {
  jobId: JobId;
  attempt: number;
  workerType: string;
  instance: string;
  startedAt: string | undefined;
  value: JsonValue;
  /** By which the list of an item goes on; a job that is no item cannot complete with them. */
  newItems: NewItems | undefined;
  context: BlobRef | undefined;
}

/** What a report changed. */
export interface ChangedJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  item: number;
  attempt: number;
  /** Of a job that completed: what it returned or, without, was given. */
  context?: BlobRef | null;
  /** Of an item: whether it returned new ones. */
  returned?: boolean;
}

const CHANGED = `j.id, j.order_id AS "orderId", j.step, j.item, j.attempt`;
/**
 * The state as an expression that no partial index covers. With the bare column the planner, while it has no statistics,
 * joins a batch of reports against all open jobs (index jobs_open) instead of looking each up by its id: 0.33 instead of
 * 0.08 ms an order with 2,000 open jobs, and quadratic.
 */
const STATE = `(j.state || '')`;
const OPEN = `${STATE} IN ('invoked', 'queued', 'started')`;

/**
 * Completes attempts: compare-and-set on job, attempt, worker type and an open state, so an unknown, forged, late or
 * repeated report changes nothing. The jobs' orders must be locked. Returns the jobs that it completed.
 */
export function completeJobs(batch: Batch, reports: readonly CompletedReport[]): Promise<ChangedJob[]> {
  return batch.run('complete_jobs', COMPLETE, [JSON.stringify(reports)]);
}

const COMPLETE = `UPDATE jobs j SET state = 'completed', result = x.value, context = coalesce(x.context, j.context),
       new_items = coalesce(x."newItems", j.new_items),
       instance = x.instance, started_at = coalesce(j.started_at, x."startedAt", now()), finished_at = now(),
       error = NULL, complete_by = NULL
     FROM json_to_recordset($1::json) x("jobId" uuid, attempt int, "workerType" text, instance text,
       "startedAt" timestamptz, value jsonb, "newItems" jsonb, context jsonb)
     WHERE j.id = x."jobId" AND j.attempt = x.attempt AND j.worker_type = x."workerType" AND ${OPEN}
       AND (x."newItems" IS NULL OR j.item > 0) AND ${oneByOne('x.attempt')}
     RETURNING ${CHANGED}, j.context, x."newItems" IS NOT NULL AS returned`;

/** Completes attempts like {@link completeJobs}; the batch fails unless each report completes its job. */
export function completeKnownJobs(batch: Batch, reports: readonly CompletedReport[]): Promise<unknown> {
  return batch.run(
    'complete_known_jobs',
    `WITH done AS (${COMPLETE}) SELECT as_known(count(*) = json_array_length($1::json)) FROM done`,
    [JSON.stringify(reports)],
  );
}

/** Notes jobs that another version of their function has run than was pinned: nothing may be taken for equal to them. */
export function noteRanVersions(batch: Batch, jobs: readonly { jobId: JobId; version: string }[]): Promise<unknown> {
  return batch.run(
    'note_ran_versions',
    `UPDATE jobs j SET fingerprint = NULL, ran_version = x.version
     FROM json_to_recordset($1::json) x("jobId" uuid, version text)
     WHERE j.id = x."jobId" AND ${oneByOne('length(x.version)')}`,
    [JSON.stringify(jobs)],
  );
}

/**
 * Marks attempts as started, with the time by which they must complete (`completeMs` where the job has none of its own).
 * The jobs' orders must be locked.
 */
export function startJobs(
  batch: Batch,
  reports: readonly { jobId: JobId; attempt: number; workerType: string; instance: string; completeMs: number }[],
): Promise<ChangedJob[]> {
  return batch.run(
    'start_jobs',
    `UPDATE jobs j SET state = 'started', instance = x.instance, started_at = now(), complete_by = now() + ${timerOf('completeMs', 'x."completeMs"')}
     FROM json_to_recordset($1::json) x("jobId" uuid, attempt int, "workerType" text, instance text, "completeMs" bigint)
     WHERE j.id = x."jobId" AND j.attempt = x.attempt AND j.worker_type = x."workerType" AND ${STATE} IN ('invoked', 'queued')
       AND ${oneByOne('x.attempt')}
     RETURNING ${CHANGED}`,
    [JSON.stringify(reports)],
  );
}

/** Marks attempts as queued, with where their type's free clock stands when they must be started. The jobs' orders must be locked. */
export function queueJobs(
  batch: Batch,
  attempts: readonly { jobId: JobId; attempt: number; startMs: number }[],
): Promise<ChangedJob[]> {
  return batch.run(
    'queue_jobs',
    `UPDATE jobs j SET state = 'queued', queued_at = now(),
       start_by_clock_ms = (SELECT t.free_clock_ms FROM worker_types t WHERE t.name = j.worker_type)
         + coalesce((j.timers->>'startMs')::bigint, x."startMs")
     FROM json_to_recordset($1::json) x("jobId" uuid, attempt int, "startMs" bigint)
     WHERE j.id = x."jobId" AND j.attempt = x.attempt AND ${STATE} = 'invoked' AND ${oneByOne('x.attempt')}
     RETURNING ${CHANGED}`,
    [JSON.stringify(attempts)],
  );
}

/**
 * Notes how far running attempts are; a report of progress extends the run up to its cap. The jobs' orders must be
 * locked: two batches that write each other's jobs without would wait in a circle.
 */
export async function recordProgress(
  batch: Batch,
  reports: readonly {
    jobId: JobId;
    attempt: number;
    workerType: string;
    progress: number;
    context: BlobRef | null;
    completeMs: number;
    completeCapMs: number;
  }[],
): Promise<void> {
  await batch.run(
    'record_progress',
    `UPDATE jobs j SET progress = greatest(j.progress, x.progress), context = coalesce(x.context, j.context),
       complete_by = least(now() + ${timerOf('completeMs', 'x."completeMs"')},
         j.started_at + ${timerOf('completeCapMs', 'x."completeCapMs"')})
     FROM json_to_recordset($1::json) x("jobId" uuid, attempt int, "workerType" text, progress real, context jsonb,
       "completeMs" bigint, "completeCapMs" bigint)
     WHERE j.id = x."jobId" AND j.attempt = x.attempt AND j.worker_type = x."workerType" AND ${STATE} = 'started'
       AND ${oneByOne('x.attempt')}`,
    [JSON.stringify(reports)],
  );
}

/** Reads jobs for a decision. Their orders must be locked, or the decision must be a compare-and-set. */
export function findJobs(batch: Batch, ids: readonly JobId[]): Promise<EngineJob[]> {
  return batch.run('find_jobs', `SELECT ${JOB_COLUMNS} FROM jobs WHERE id = ANY($1::uuid[])`, [ids]);
}

/** What became of a step, as far as a decision may ask. */
export interface StepFact {
  state: JobState;
  result: JsonValue;
  error: JobError | null;
  /** The edge that a wait took. */
  outcome: string | null;
  context?: BlobRef | null;
}

/**
 * What became of steps of locked orders: what a join, a condition or an order's end needs beyond the batch itself.
 * The item comes with the row that is looked up: a constant would let an empty table's planner read all of the index,
 * and without it the row of a list's step is found among those of all its items.
 */
export function findStepFacts(
  batch: Batch,
  wanted: readonly { orderId: OrderId; step: string }[],
): Promise<(StepFact & { orderId: OrderId; step: string })[]> {
  return batch.run(
    'find_step_facts',
    `SELECT j.order_id AS "orderId", j.step, j.state, j.result, j.error, j.outcome, j.context FROM jobs j
     JOIN json_to_recordset($1::json) x("orderId" uuid, step text, item int)
       ON j.order_id = x."orderId" AND j.step = x.step AND j.item = x.item
     WHERE ${oneByOne('length(x.step)')}`,
    [JSON.stringify(wanted.map(({ orderId, step }) => ({ orderId, step, item: 0 })))],
  );
}

/** A job that this batch makes: its first attempt. */
export interface NewJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  item: number;
  workerType: string;
  function: string;
  profileId: ProfileId;
  profileRevision: number;
  input: JsonValue;
  timers?: JobTimers | undefined;
  fingerprint?: string | null;
  context?: BlobRef | null;
  contextIn?: GivenContext | null;
  /** Of a job that does not run, because an earlier one with its fingerprint did. */
  result?: JsonValue;
  origin?: JobOrigin;
}

/** Whose result a job took over: of the order that its own runs again, or of the result cache. */
export interface JobOrigin {
  how: 'reused' | 'cached';
  orderId: OrderId;
  jobId: JobId;
}

/** The end of an attempt without a result: the job's next state. */
export interface JobMove {
  id: JobId;
  /** The attempt and state that the decision was made on. */
  fromAttempt: number;
  fromState: JobState;
  state: 'pending' | 'invoked' | 'error' | 'cancelled';
  attempt: number;
  lost: number;
  failed: number;
  crashed: number;
  handedBack: number;
  error: JobError | null;
  context: BlobRef | null;
  /** With `error`: when the run began, where no report of its start came; the worker's clock. */
  startedAt: string | null;
  instance: string | null;
  /** With `pending`: the backoff, in milliseconds from now. */
  delayMs: number;
}

/** Moves jobs on after an attempt without a result. Returns the moves that took effect. */
export function moveJobs(batch: Batch, moves: readonly JobMove[]): Promise<ChangedJob[]> {
  return batch.run(
    'move_jobs',
    `UPDATE jobs j SET state = x.state, attempt = x.attempt, lost = x.lost, failed = x.failed, crashed = x.crashed,
       handed_back = x."handedBack", error = x.error,
       context = coalesce(x.context, j.context), instance = x.instance, progress = NULL, complete_by = NULL,
       queued_at = NULL, start_by_clock_ms = NULL,
       give_up_at = CASE WHEN x.state = 'invoked' THEN now() + (j.timers->>'offlineMs')::bigint * interval '1 millisecond' END,
       started_at = CASE WHEN x.state = 'error' THEN coalesce(j.started_at, x."startedAt") END,
       invoked_at = CASE WHEN x.state = 'invoked' THEN now() ELSE j.invoked_at END,
       not_before = CASE WHEN x.state = 'pending' THEN now() + x."delayMs" * interval '1 millisecond' END,
       finished_at = CASE WHEN x.state IN ('error', 'cancelled') THEN now() END
     FROM json_to_recordset($1::json) x(id uuid, "fromAttempt" int, "fromState" text, state text, attempt int, lost int,
       failed int, crashed int, "handedBack" int, error jsonb, context jsonb, "startedAt" timestamptz, instance text, "delayMs" bigint)
     WHERE j.id = x.id AND j.attempt = x."fromAttempt" AND j.state = x."fromState" AND ${oneByOne('x.attempt')}
     RETURNING ${CHANGED}`,
    [JSON.stringify(moves)],
  );
}

export const JOB_COLUMNS = `id, order_id AS "orderId", step, item, kind, worker_type AS "workerType", function,
  profile_id AS "profileId", profile_revision AS "profileRevision", state, attempt, lost, failed, crashed, handed_back AS "handedBack", input, context, context_in AS "contextIn",
  instance, result, superseded`;
