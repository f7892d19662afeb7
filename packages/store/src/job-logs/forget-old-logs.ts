import type { Store } from '../store.ts';

/** Deletes logs that are older than so many days. Returns how many rows went. */
export async function forgetOldLogs(store: Store, { days, limit }: { days: number; limit: number }): Promise<number> {
  const { rowCount } = await store.pool.query({
    name: 'forget_old_logs',
    text: `DELETE FROM job_logs WHERE (job_id, attempt, first) IN (
        SELECT job_id, attempt, first FROM job_logs WHERE at < now() - $1 * interval '1 day' ORDER BY at LIMIT $2)`,
    values: [days, limit],
  });
  return rowCount ?? 0;
}
