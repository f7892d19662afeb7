import type { Store } from '../store.ts';

/** The tasks that exist, by name: to choose close matches from. */
export async function listTaskNames(store: Store, limit: number): Promise<string[]> {
  const { rows } = await store.pool.query<{ task: string }>({
    name: 'list_task_names',
    text: `SELECT worker_type || '/' || name AS task FROM profiles WHERE deleted_at IS NULL
           ORDER BY worker_type, name LIMIT $1`,
    values: [limit],
  });
  return rows.map(({ task }) => task);
}
