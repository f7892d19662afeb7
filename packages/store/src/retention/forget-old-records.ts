import type { Store } from '../store.ts';

/** How old a record must be, and how many go in one statement. */
export interface OldRecords {
  days: number;
  limit: number;
}

/**
 * Forgets instances that ended so long ago. The one of a type that was seen last stays: by it, it is known since when the
 * type has no worker.
 */
export async function forgetOldInstances(store: Store, { days, limit }: OldRecords): Promise<number> {
  const { rowCount } = await store.pool.query({
    name: 'forget_old_instances',
    text: `DELETE FROM worker_instances WHERE id IN (
        SELECT i.id FROM worker_instances i
        WHERE i.state IN ('gone', 'lost') AND i.ended_at < now() - $1 * interval '1 day'
          AND EXISTS (SELECT FROM worker_instances newer
            WHERE newer.worker_type = i.worker_type AND newer.slots > 0
              AND (newer.last_seen_at, newer.id) > (i.last_seen_at, i.id))
        LIMIT $2)`,
    values: [days, limit],
  });
  return rowCount ?? 0;
}

/** Forgets reports that were kept aside: of the oldest ones those that are so old. Their numbers grow with time. */
export async function forgetOldLateReports(store: Store, { days, limit }: OldRecords): Promise<number> {
  const { rowCount } = await store.pool.query({
    name: 'forget_old_late_reports',
    text: `DELETE FROM late_reports WHERE id IN (
        SELECT id FROM (SELECT id, at FROM late_reports ORDER BY id LIMIT $2) oldest
        WHERE at < now() - $1 * interval '1 day')`,
    values: [days, limit],
  });
  return rowCount ?? 0;
}

/** Forgets what became of slots so long ago, as far as nothing of it is under way; `limit` counts for each schedule. */
export async function forgetOldTicks(store: Store, { days, limit }: OldRecords): Promise<number> {
  const { rowCount } = await store.pool.query({
    name: 'forget_old_ticks',
    text: `DELETE FROM schedule_ticks WHERE (schedule_id, slot) IN (
        SELECT old.schedule_id, old.slot FROM schedules s CROSS JOIN LATERAL (
          SELECT t.schedule_id, t.slot FROM schedule_ticks t
          WHERE t.schedule_id = s.id AND t.slot < now() - $1 * interval '1 day'
            AND t.at < now() - $1 * interval '1 day' AND t.settled AND t.state <> 'queued'
          ORDER BY t.slot LIMIT $2) old)`,
    values: [days, limit],
  });
  return rowCount ?? 0;
}
