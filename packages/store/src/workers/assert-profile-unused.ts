import type { ProfileId } from '@connecta/contracts';
import { InUseError } from '../clients/clients.ts';
import type { Store } from '../store.ts';

/** How many of those that refer to something are named. */
const NAMED = 5;

/**
 * A profile must not go that orders under way have pinned, or that a saved workflow, a schedule, a declared task (as what
 * it runs, or what it follows) or an alias names.
 *
 * @throws InUseError naming what refers to it
 */
export async function assertProfileUnused(store: Store, workerType: string, id: ProfileId): Promise<void> {
  const { rows } = await store.pool.query<{
    orders: boolean;
    workflows: string[];
    schedules: string[];
    tasks: string[];
    aliases: string[];
  }>({
    name: 'find_profile_users',
    text: `WITH task AS (SELECT worker_type || '/' || name AS name FROM profiles
             WHERE worker_type = $1 AND id = $2 AND deleted_at IS NULL)
      SELECT EXISTS (SELECT FROM orders o WHERE o.state IN ('accepted', 'active')
          AND o.plan_id IN (SELECT plan_id FROM plan_profiles WHERE profile_id = $2)) AS orders,
        ARRAY(SELECT w.name FROM task, workflows w
          JOIN workflow_versions v ON v.name = w.name AND v.version = w.latest_version
          WHERE w.deleted_at IS NULL AND (
            jsonb_path_exists(v.definition::jsonb, '$.steps.*.uses ? (@ == $task)', jsonb_build_object('task', task.name))
            OR jsonb_path_exists(v.definition::jsonb, '$.params.*.default.** ? (@ == $task)',
              jsonb_build_object('task', task.name))) ORDER BY 1 LIMIT ${NAMED}) AS workflows,
        ARRAY(SELECT s.name FROM task, schedules s
          WHERE s."order"->>'task' = task.name OR s."order"->'tasks' ? task.name OR jsonb_path_exists(s."order",
            '$.steps.*.uses ? (@ == $task)', jsonb_build_object('task', task.name)) OR jsonb_path_exists(s."order",
            '$.params.** ? (@ == $task)', jsonb_build_object('task', task.name)) ORDER BY 1 LIMIT ${NAMED}) AS schedules,
        ARRAY(SELECT DISTINCT t.worker_type || '/' || t.name FROM task, worker_tasks t
          LEFT JOIN LATERAL jsonb_array_elements(t.upstream) up ON true
          LEFT JOIN worker_tasks u ON u.worker_type || '/' || u.name = up->>'task'
          WHERE t.worker_type || '/' || coalesce(t.profile, t.name) = task.name
            OR coalesce(u.worker_type || '/' || coalesce(u.profile, u.name), up->>'task') = task.name
          ORDER BY 1 LIMIT ${NAMED}) AS tasks,
        ARRAY(SELECT a.worker_type || '/' || a.name FROM task, profiles a
          WHERE a.alias_of = task.name AND a.deleted_at IS NULL ORDER BY 1 LIMIT ${NAMED}) AS aliases`,
    values: [workerType, id],
  });
  const [users] = rows;
  if (!users) return;
  if (users.orders) throw new InUseError('open orders');
  const { workflows, schedules, tasks, aliases } = users;
  const named = { workflows, schedules, 'declared tasks': tasks, aliases };
  for (const [what, names] of Object.entries(named)) {
    if (names.length > 0) throw new InUseError(`${what} (${names.join(', ')})`);
  }
}
