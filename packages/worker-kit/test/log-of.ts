import type { JobId } from '@connecta/contracts';
import { until, type Harness } from './harness.ts';

/** The lines that are kept of a job's first attempt, once there are so many. */
export function logOf(harness: Harness, jobId: JobId, count: number): Promise<{ message: string; password: string }[]> {
  return until(async () => {
    const rows = await harness.sql<{ message: string; password: string }>(
      `SELECT l->>'message' AS message, l->'fields'->>'password' AS password
       FROM job_logs, json_array_elements(lines) WITH ORDINALITY e(l, n)
       WHERE job_id = $1 AND attempt = 1 ORDER BY first, n`,
      [jobId],
    );
    return rows.length === count ? rows : undefined;
  });
}
