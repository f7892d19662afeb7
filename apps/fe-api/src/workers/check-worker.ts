import type { Fault, FeApiOperations } from '@connecta/contracts';
import { findTaskCycle } from '@connecta/domain';
import { findBreaks, taskFaults } from '@connecta/intake';
import type { OperationAnswer, OperationInput } from '@connecta/runtime';
import { findCompatibilityMode, listDeclaredTasks, type FunctionSchemas, type Store } from '@connecta/store';

type Body = OperationInput<FeApiOperations['checkWorker']>['body'];

/** What a registration would meet: what it breaks, and what would refuse it. Nothing is written. */
export async function checkWorker(
  store: Store,
  { type, functions, tasks }: Body,
): Promise<OperationAnswer<FeApiOperations['checkWorker'], 200>> {
  const schemas = functions as unknown as FunctionSchemas[];
  const breaks = await findBreaks(store, { type, functions: schemas, ...(tasks ? { tasks } : {}) });
  const errors = tasks ? [...taskFaults(tasks), ...(await cycleFaults(store, type, tasks))] : [];
  const compatibility = await findCompatibilityMode(store, type);
  return { ok: breaks.length + errors.length === 0, compatibility, breaks, errors } as OperationAnswer<
    FeApiOperations['checkWorker'],
    200
  >;
}

async function cycleFaults(store: Store, type: string, tasks: NonNullable<Body['tasks']>): Promise<Fault[]> {
  const others = (await listDeclaredTasks(store)).filter(({ workerType }) => workerType !== type);
  const graph = new Map([
    ...others.map(({ task, upstream }) => [task, upstream] as const),
    ...tasks.map(({ name, upstream = [] }) => [`${type}/${name}`, upstream] as const),
  ]);
  const cycle = findTaskCycle(graph);
  if (!cycle) return [];
  return [{ path: '/tasks', message: `these tasks wait for each other: ${cycle.join(' → ')}`, code: 'cycle' }];
}
