import type { Store } from '../store.ts';

/** Marks instances as lost that missed so many heartbeats. Returns them. */
export async function loseSilentInstances(
  store: Store,
  missedHeartbeats: number,
): Promise<{ workerType: string; instance: string }[]> {
  const { rows } = await store.pool.query<{ workerType: string; instance: string }>({
    name: 'lose_silent_instances',
    text: `UPDATE worker_instances SET state = 'lost', ended_at = now()
     WHERE state IN ('ready', 'draining') AND last_seen_at < now() - heartbeat_ms * $1 * interval '1 millisecond'
     RETURNING worker_type AS "workerType", instance`,
    values: [missedHeartbeats],
  });
  return rows;
}

/** Lets the free clock of every type run on that has a free slot now. */
export async function advanceFreeClocks(store: Store, elapsedMs: number): Promise<void> {
  await store.pool.query({
    name: 'advance_free_clocks',
    text: `UPDATE worker_types t SET free_clock_ms = free_clock_ms + $1
     WHERE EXISTS (SELECT FROM worker_instances i WHERE i.worker_type = t.name AND i.state = 'ready' AND i.free_slots > 0)`,
    values: [elapsedMs],
  });
}

/** The worker types whose queues and events the engine serves. */
export async function listWorkerTypes(store: Store): Promise<string[]> {
  const { rows } = await store.pool.query<{ name: string }>({
    name: 'list_worker_types',
    text: `SELECT name FROM worker_types UNION SELECT worker_type FROM service_accounts WHERE revoked_at IS NULL`,
  });
  return rows.map((row) => row.name);
}

/** Forgets holds that nobody has confirmed for a day: their attempts have long ended. */
export async function forgetOldHolds(store: Store): Promise<void> {
  await store.pool.query({
    name: 'forget_old_holds',
    text: `DELETE FROM job_holds WHERE seen_at < now() - interval '1 day'`,
  });
}
