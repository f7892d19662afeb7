import { INSTANCE_STATES, type InstanceState, type WorkerInstanceId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** One running (or ended) process of a worker type. */
export interface WorkerInstance {
  id: WorkerInstanceId;
  workerType: string;
  instance: string;
  state: InstanceState;
}

/** The instance with this id; null when there is none. */
export async function findInstance(store: Store, id: WorkerInstanceId): Promise<WorkerInstance | null> {
  const row = await store.prisma.workerInstance.findUnique({ where: { id } });
  if (!row) return null;
  const state = INSTANCE_STATES.find((known) => known === row.state);
  if (!state) throw new TypeError(`worker instance ${id} is in the unknown state ${row.state}`);
  return { id, workerType: row.workerType, instance: row.instance, state };
}
