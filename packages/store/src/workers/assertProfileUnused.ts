import type { ProfileId } from '@connecta/contracts';
import { InUseError } from '../clients/clients.ts';
import type { Store } from '../store.ts';

/** How many of those that refer to something are named. */
const NAMED = 5;

/**
 * A profile that orders under way have pinned, or that a saved workflow or a schedule names, must not go.
 *
 * @throws InUseError naming what refers to it
 */
export async function assertProfileUnused(store: Store, workerType: string, id: ProfileId): Promise<void> {
  const { rows } = await store.pool.query<{ orders: boolean; workflows: string[]; schedules: string[] }>({
    name: 'find_profile_users',
    text: `WITH task AS (SELECT worker_type || '/' || name AS name FROM profiles
             WHERE worker_type = $1 AND id = $2 AND deleted_at IS NULL)
      SELECT EXISTS (SELECT FROM orders o WHERE o.state IN ('accepted', 'active')
          AND o.plan_id IN (SELECT plan_id FROM plan_profiles WHERE profile_id = $2)) AS orders,
        ARRAY(SELECT w.name FROM task, workflows w
          JOIN workflow_versions v ON v.name = w.name AND v.version = w.latest_version
          WHERE w.deleted_at IS NULL AND jsonb_path_exists(v.definition::jsonb, '$.steps.*.uses ? (@ == $task)',
            jsonb_build_object('task', task.name)) ORDER BY 1 LIMIT ${NAMED}) AS workflows,
        ARRAY(SELECT s.name FROM task, schedules s
          WHERE s."order"->>'task' = task.name OR s."order"->'tasks' ? task.name OR jsonb_path_exists(s."order",
            '$.steps.*.uses ? (@ == $task)', jsonb_build_object('task', task.name)) ORDER BY 1 LIMIT ${NAMED}) AS schedules`,
    values: [workerType, id],
  });
  const users = rows[0];
  if (users?.orders) throw new InUseError('open orders');
  if (users && users.workflows.length > 0) throw new InUseError(`workflows (${users.workflows.join(', ')})`);
  if (users && users.schedules.length > 0) throw new InUseError(`schedules (${users.schedules.join(', ')})`);
}
