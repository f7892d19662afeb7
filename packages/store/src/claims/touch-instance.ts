import type { InstanceState, WorkerInstanceId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/**
 * Notes that an instance asks for work, with how many slots free: that counts as a sign of life. Its state, in which it is
 * not changed when it is gone; null when there is no such instance of the type.
 */
export async function touchInstance(
  store: Store,
  asking: { workerId: WorkerInstanceId; workerType: string; freeSlots: number },
): Promise<InstanceState | null> {
  const { rows } = await store.pool.query<{ state: InstanceState }>({
    name: 'touch_instance',
    text: `WITH seen AS (
        UPDATE worker_instances SET last_seen_at = now(), ended_at = NULL,
          free_slots = CASE WHEN state = 'draining' OR drain_asked_at IS NOT NULL THEN 0 ELSE least($3::int, slots) END,
          state = CASE WHEN state = 'lost' THEN CASE WHEN drain_asked_at IS NULL THEN 'ready' ELSE 'draining' END ELSE state END
        WHERE id = $1 AND worker_type = $2 AND state <> 'gone' RETURNING state)
      SELECT state FROM seen UNION ALL
      SELECT state FROM worker_instances WHERE id = $1 AND worker_type = $2 AND state = 'gone'`,
    values: [asking.workerId, asking.workerType, asking.freeSlots],
  });
  return rows[0]?.state ?? null;
}
