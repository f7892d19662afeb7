import { Problem, type ClientId, type FeApiOperations, type JsonValue } from '@connecta/contracts';
import { planTaskInvocation, readInvocation, type Intake } from '@connecta/intake';
import { answer, idempotencyOf, inputOf, requireRole } from '@connecta/runtime';
import { findClientId, findOrderParams, type Store } from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { callerOf, clientFor, scopeOf } from '../access/caller.ts';
import { readDeclaredTasks, readTaskGraph } from '../tasks/task-graph.ts';

type Operations = FeApiOperations;

export interface TasksParts {
  store: Store;
  intake: Intake;
}

/** Tasks that worker types declare: what they follow, how fresh they are, and their runs. */
export function tasksRouter(parts: TasksParts): Router {
  const router = Router();
  const { store } = parts;
  router.get('/v1/tasks', async (req, res) => {
    const items = await readDeclaredTasks(store, await clientOf(store, req));
    answer<Operations['listTasks'], 200>(res, 200, { items, nextCursor: null });
  });
  router.get('/v1/tasks/graph', async (req, res) => {
    answer<Operations['getTaskGraph'], 200>(res, 200, await readTaskGraph(store, await clientOf(store, req)));
  });
  const mayPlace = requireRole('admin', 'operator', 'client');
  router.post('/v1/tasks/:type/:name/invoke', mayPlace, (req, res) => invoke(parts, req, res));
  return router;
}

async function invoke({ store, intake }: TasksParts, req: Request, res: Response): Promise<void> {
  const { path, body } = inputOf<Operations['invokeTask']>(req);
  const caller = callerOf(req);
  const client = clientFor(caller, body?.client);
  const { input, params, force } = (body ?? {}) as {
    input?: JsonValue;
    params?: { [name: string]: JsonValue };
    force?: boolean;
  };
  const task = `${path.type}/${path.name}`;
  const { order, runs, fresh } = await planTaskInvocation(store, { task, client, input, params, force });
  const idempotency = idempotencyOf(req);
  const mayNameFiles = caller.clientId === null;
  const [outcome] = await intake.accept(
    [{ order, client, createdBy: caller.createdBy, traceparent: req.context.traceparent, mayNameFiles }],
    idempotency && { ...idempotency, scope: scopeOf(caller, `POST ${req.path}`) },
  );
  if (!outcome) throw new Error('a request without an outcome');
  if (!outcome.ok) throw outcome.problem;
  // A repeat tells what the first request had found, whatever is fresh by now.
  const told = (outcome.replayed ? readInvocation(await findOrderParams(store, outcome.id)) : null) ?? { runs, fresh };
  res.setHeader('location', `/v1/orders/${outcome.id}`);
  answer<Operations['invokeTask'], 202>(res, 202, { id: outcome.id, state: 'accepted', ...told });
}

/** The client whose runs count. @throws Problem not_found */
async function clientOf(store: Store, req: Request): Promise<ClientId> {
  const client = clientFor(callerOf(req), inputOf<Operations['listTasks']>(req).query.client);
  const found = 'id' in client ? client.id : await findClientId(store, client.name);
  if (!found) throw new Problem('not_found', 'There is no such client');
  return found;
}
