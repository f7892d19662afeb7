import type { JobError, JobId, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** A job that ended in error, of whatever order. */
export interface FailedJob {
  id: JobId;
  orderId: OrderId;
  step: string;
  item: number;
  workerType: string | null;
  function: string | null;
  attempt: number;
  lost: number;
  failed: number;
  crashed: number;
  instance: string | null;
  error: JobError | null;
  finishedAt: Date | null;
}

/** Jobs that ended in error, with this code or any, the newest job first. */
export async function listFailedJobs(
  store: Store,
  page: { code: string | undefined; workerType: string | undefined; before: JobId | undefined; limit: number },
): Promise<FailedJob[]> {
  const { rows } = await store.pool.query<FailedJob>({
    name: 'list_failed_jobs',
    text: `SELECT id, order_id AS "orderId", step, item, worker_type AS "workerType", function, attempt, lost, failed, crashed,
        instance, error, finished_at AS "finishedAt"
      FROM jobs WHERE state = 'error' AND ($1::text IS NULL OR error->>'code' = $1)
        AND ($2::text IS NULL OR worker_type = $2) AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4`,
    values: [page.code ?? null, page.workerType ?? null, page.before ?? null, page.limit],
  });
  return rows;
}
