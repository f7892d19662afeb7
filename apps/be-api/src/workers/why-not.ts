import { Problem, type WorkerInstanceId } from '@connecta/contracts';
import { findInstance, type Store } from '@connecta/store';

/** Why an instance cannot be spoken for: another type's is a 403, one that ended a 410, and else there is none. */
export async function whyNot(store: Store, workerId: WorkerInstanceId, workerType: string): Promise<Problem> {
  const instance = await findInstance(store, workerId);
  if (!instance) return new Problem('not_found', 'No worker has this id; register again');
  if (instance.workerType !== workerType) {
    return new Problem('forbidden', `The worker ${workerId} is not of the type ${workerType}`);
  }
  return new Problem('gone', 'This registration has ended; register again');
}
