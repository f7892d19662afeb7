import type { JobId, JobState, LogLine, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** A line with its place in the job's log. */
export interface NumberedLogLine extends LogLine {
  attempt: number;
  number: number;
}

/** The place of a line: behind it, a reader goes on. */
export interface LogPlace {
  attempt: number;
  number: number;
}

/** What a reader of a log wants to know of its job. */
export interface LoggingJob {
  state: JobState;
  attempt: number;
  finishedAt: Date | null;
}

const ROWS = 20;

/** The job of an order; null when the order has none with this id. */
export async function findLoggingJob(store: Store, orderId: OrderId, jobId: JobId): Promise<LoggingJob | null> {
  const { rows } = await store.pool.query<LoggingJob>({
    name: 'find_logging_job',
    text: `SELECT state, attempt, finished_at AS "finishedAt" FROM jobs WHERE id = $2 AND order_id = $1`,
    values: [orderId, jobId],
  });
  return rows[0] ?? null;
}

/** Lines behind a place, of one attempt or of all in their order. */
export async function listJobLog(
  store: Store,
  page: { jobId: JobId; attempt: number | undefined; after: LogPlace; limit: number },
): Promise<NumberedLogLine[]> {
  const found: NumberedLogLine[] = [];
  let { after } = page;
  while (found.length < page.limit) {
    const { rows } = await store.pool.query<{ attempt: number; first: number; lines: LogLine[] }>({
      name: 'list_job_log',
      text: `SELECT attempt, first, lines FROM job_logs WHERE job_id = $1 AND ($2::int IS NULL OR attempt = $2)
          AND (attempt > $3 OR (attempt = $3 AND first + count - 1 > $4)) ORDER BY attempt, first LIMIT $5`,
      values: [page.jobId, page.attempt ?? null, after.attempt, after.number, ROWS],
    });
    for (const { attempt, first, lines } of rows) {
      for (const [i, line] of lines.entries()) {
        const number = first + i;
        if (attempt > after.attempt || number > after.number) found.push({ attempt, number, ...line });
      }
      after = { attempt, number: first + lines.length - 1 };
    }
    if (rows.length < ROWS) break;
  }
  return found.slice(0, page.limit);
}
