import type { JobId, OrderId } from '@connecta/contracts';
import type { Batch } from './batch.ts';

/** A report that changed nothing. */
export interface LateReport {
  orderId: OrderId;
  jobId: JobId;
  attempt: number;
  instance: string;
  /** `stale_attempt`, `already_ended` or `unknown_job`. */
  reason: string;
  report: unknown;
}

/** Keeps reports aside that changed nothing, so that people can see them. */
export function insertLateReports(batch: Batch, reports: readonly LateReport[]): Promise<unknown> {
  return batch.run(
    'insert_late_reports',
    `INSERT INTO late_reports (order_id, job_id, attempt, instance, reason, report)
     SELECT x."orderId", x."jobId", x.attempt, x.instance, x.reason, x.report
     FROM json_to_recordset($1::json) x("orderId" uuid, "jobId" uuid, attempt int, instance text, reason text, report jsonb)`,
    [JSON.stringify(reports)],
  );
}
