import type { JobError, JobId, JobState, JsonValue, OrderId, OrderState } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** A job as the answer to a report on one of its attempts is decided. */
export interface ReportedJob {
  orderId: OrderId;
  orderState: OrderState;
  state: JobState;
  /** 0 of a job that is no item of a list. */
  item: number;
  /** Of an item that was computed again: the attempt whose end stood before. */
  superseded: number | null;
  workerType: string;
  function: string;
  /** The attempt that counts now. */
  attempt: number;
  result: JsonValue;
  error: JobError | null;
  /** The instance that claimed the reported attempt over HTTP; null when none did. */
  instance: string | null;
  /** The version of the function that this instance has registered. */
  functionVersion: string | null;
  ackedAt: Date | null;
  startMs: number | null;
  completeMs: number | null;
  recordedHash: string | null;
  refusedHash: string | null;
}

/** The job of a report, with what is known of the reported attempt; null when there is none. */
export async function findReportedJob(store: Store, id: JobId, attempt: number): Promise<ReportedJob | null> {
  const { rows } = await store.pool.query<ReportedJob>({
    name: 'find_reported_job',
    text: `SELECT j.order_id AS "orderId", o.state AS "orderState", j.state, j.item, j.superseded, j.attempt, j.result,
             j.worker_type AS "workerType", j.function, j.error, i.instance,
             i.functions->>j.function AS "functionVersion",
             c.acked_at AS "ackedAt", c.start_ms AS "startMs", c.complete_ms AS "completeMs",
             c.recorded_hash AS "recordedHash", c.refused_hash AS "refusedHash"
           FROM jobs j JOIN orders o ON o.id = j.order_id
           LEFT JOIN job_claims c ON c.job_id = j.id AND c.attempt = $2
           LEFT JOIN worker_instances i ON i.id = c.instance_id WHERE j.id = $1`,
    values: [id, attempt],
  });
  return rows[0] ?? null;
}

/** Notes how a report on an attempt's end was answered, so that the same report again is answered the same. */
export async function noteReport(
  store: Store,
  report: { jobId: JobId; attempt: number; hash: string; recorded: boolean },
): Promise<void> {
  const column = report.recorded ? 'recorded_hash' : 'refused_hash';
  await store.pool.query({
    name: `note_report_${column}`,
    // Not waited for until it is on the disk: reports of one job queue up behind its row, and one that is forgotten is
    // judged by the job itself.
    text: `WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
      UPDATE job_claims SET ${column} = $3, ended_at = coalesce(ended_at, now()) FROM quick
      WHERE job_id = $1 AND attempt = $2`,
    values: [report.jobId, report.attempt, report.hash],
  });
}
