import type { WorkerInstanceId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/**
 * Ends an instance: nothing it held counts as held any more, so it is given to others at once. False when there is no
 * such instance of the type; ending one twice is true again.
 */
export async function leaveWorker(store: Store, workerId: WorkerInstanceId, workerType: string): Promise<boolean> {
  const { rows } = await store.pool.query<{ found: boolean }>({
    name: 'leave_worker',
    text: `WITH found AS (SELECT id FROM worker_instances WHERE id = $1 AND worker_type = $2),
      ended AS (UPDATE worker_instances i SET state = 'gone', free_slots = 0, ended_at = now()
        FROM found WHERE i.id = found.id AND i.state <> 'gone'),
      freed AS (DELETE FROM job_holds h USING found WHERE h.instance_id = found.id)
      SELECT EXISTS (SELECT FROM found) AS found`,
    values: [workerId, workerType],
  });
  return rows[0]?.found ?? false;
}
