import type { FeApiOperations, JobId } from '@connecta/contracts';
import { answer, decodeCursor, inputOf, requireRole, toPage } from '@connecta/runtime';
import { listFailedJobs, type FailedJob, type Store } from '@connecta/store';
import { Router } from 'express';
import { z } from 'zod';

type Operation = FeApiOperations['listFailedJobs'];
type View = Operation['responses'][200]['content']['application/json']['items'][number];

/** Jobs that ended in error, over all orders: what those look through who have to do something about it. */
export function failedJobsRouter({ store }: { store: Store }): Router {
  const router = Router();
  router.get('/v1/jobs', requireRole('admin', 'operator', 'viewer'), async (req, res) => {
    const { code, workerType, limit = 100, cursor } = inputOf<Operation>(req).query;
    const before = cursor === undefined ? undefined : (decodeCursor(cursor, z.uuid()) as JobId);
    const rows = await listFailedJobs(store, { code, workerType, before, limit: limit + 1 });
    answer<Operation, 200>(res, 200, toPage(rows, limit, { item: viewOf, place: ({ id }) => id }));
  });
  return router;
}

function viewOf({ workerType, function: name, instance, error, finishedAt, ...job }: FailedJob): View {
  return {
    ...job,
    state: 'error',
    ...(workerType === null ? {} : { workerType }),
    ...(name === null ? {} : { function: name }),
    ...(instance === null ? {} : { instance }),
    ...(error === null ? {} : { error }),
    ...(finishedAt === null ? {} : { finishedAt: finishedAt.toISOString() }),
  };
}
