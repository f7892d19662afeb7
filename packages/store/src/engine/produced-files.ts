import type { FileRef, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/**
 * Of these files of legacy shares, those that a worker made: named in the result of a completed job of the order, or of
 * one of its child orders, by a worker type that may name files.
 */
export async function findProducedFiles(
  store: Store,
  orderId: OrderId,
  files: readonly FileRef[],
): Promise<{ file: FileRef }[]> {
  const { rows } = await store.pool.query<{ file: FileRef }>({
    name: 'find_produced_files',
    text: `WITH RECURSIVE tree AS (
             SELECT $1::uuid AS id
             UNION ALL
             SELECT o.id FROM tree t JOIN jobs j ON j.order_id = t.id JOIN orders o ON o.parent_job_id = j.id)
           SELECT DISTINCT named.file FROM tree t JOIN jobs j ON j.order_id = t.id,
             jsonb_path_query(j.result, '$.**.file') AS named(file)
           WHERE j.state = 'completed' AND named.file IN (SELECT jsonb_array_elements($2::jsonb))
             AND j.worker_type IN (SELECT worker_type FROM service_accounts WHERE may_name_files AND revoked_at IS NULL)`,
    values: [orderId, JSON.stringify(files)],
  });
  return rows;
}
