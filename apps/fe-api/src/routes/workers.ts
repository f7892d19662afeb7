import { Problem, type FeApiOperations, type WorkerInstanceId } from '@connecta/contracts';
import { answer, inputOf, requireRole, type OperationAnswer } from '@connecta/runtime';
import {
  askToDrain,
  findCompatibilityMode,
  listInstances,
  listTasks,
  listWorkerTypeSummaries,
  setCompatibilityMode,
  type ListedInstance,
  type Store,
  type WorkerTypeSummary,
} from '@connecta/store';
import { Router } from 'express';
import { checkWorker } from '../workers/check-worker.ts';

type Operations = FeApiOperations;
type TypeView = OperationAnswer<Operations['listWorkers'], 200>['items'][number];
type DetailView = OperationAnswer<Operations['getWorker'], 200>;

/** Worker types with what is live of them. */
export function workersRouter({ store }: { store: Store }): Router {
  const router = Router();
  const mayRead = requireRole('admin', 'operator', 'viewer');
  router.get('/v1/workers', mayRead, async (_req, res) => {
    const types = await listWorkerTypeSummaries(store);
    answer<Operations['listWorkers'], 200>(res, 200, { items: types.map(typeView), nextCursor: null });
  });
  router.get('/v1/workers/:type', mayRead, async (req, res) => {
    const { type } = inputOf<Operations['getWorker']>(req).path;
    answer<Operations['getWorker'], 200>(res, 200, await detailOf(store, type));
  });
  router.patch('/v1/workers/:type', requireRole('admin', 'operator'), async (req, res) => {
    const { path, body } = inputOf<Operations['updateWorker']>(req);
    if (!(await setCompatibilityMode(store, path.type, body.compatibility))) throw noType(path.type);
    answer<Operations['updateWorker'], 200>(res, 200, await detailOf(store, path.type));
  });
  router.post('/v1/workers/:type/instances/:id/drain', requireRole('admin', 'operator'), async (req, res) => {
    const { type, id } = inputOf<Operations['drainInstance']>(req).path;
    const instance = await askToDrain(store, type, id as WorkerInstanceId);
    if (!instance) throw new Problem('not_found', `'${type}' has no instance '${id}'`);
    if (instance === 'runs_nothing') {
      throw new Problem('conflict', 'The instance is a process of the API of its type: it runs no jobs.');
    }
    answer<Operations['drainInstance'], 202>(res, 202, instanceView(instance));
  });
  router.post('/v1/workers/check', mayRead, async (req, res) => {
    const { body } = inputOf<Operations['checkWorker']>(req);
    answer<Operations['checkWorker'], 200>(res, 200, await checkWorker(store, body));
  });
  return router;
}

async function detailOf(store: Store, type: string): Promise<DetailView> {
  const [[found], instances, tasks, compatibility] = await Promise.all([
    listWorkerTypeSummaries(store, type),
    listInstances(store, type),
    listTasks(store, type),
    findCompatibilityMode(store, type),
  ]);
  if (!found) throw noType(type);
  return {
    ...headOf(found),
    compatibility,
    apiUrl: found.apiUrl,
    functions: found.functions as DetailView['functions'],
    tasks: tasks.map(({ name, aliasOf, ...task }) => ({
      ...task,
      task: `${type}/${name}`,
      ...(aliasOf === null ? {} : { aliasOf }),
    })),
    instances: instances.map(instanceView),
    offline: found.offline as DetailView['offline'],
  };
}

function noType(type: string): Problem {
  return new Problem('not_found', `There is no worker type '${type}'`);
}

function headOf(
  type: WorkerTypeSummary,
): Pick<TypeView, 'type' | 'version' | 'language' | 'transport' | 'owner' | 'updatedAt'> {
  const { version, language, transport } = type;
  return {
    ...{ type: type.type, version, language, transport },
    owner: { team: type.ownerTeam, contact: type.ownerContact },
    updatedAt: type.updatedAt.toISOString(),
  };
}

function typeView(type: WorkerTypeSummary): TypeView {
  const { profiles, ready, draining, slots, freeSlots } = type;
  return { ...headOf(type), profiles, instances: { ready, draining }, slots, freeSlots };
}

function instanceView(instance: ListedInstance): DetailView['instances'][number] {
  const { labels, registeredAt, lastSeenAt, endedAt, ...rest } = instance;
  return {
    ...rest,
    labels: labels as { [name: string]: unknown },
    registeredAt: registeredAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    ...(endedAt ? { endedAt: endedAt.toISOString() } : {}),
  };
}
