import { Problem, isId, type ClientId, type FeApiOperations } from '@connecta/contracts';
import {
  answer,
  assertRevision,
  decodeCursor,
  inputOf,
  requireIfMatch,
  requireRole,
  setEtag,
  toPage,
  type OperationAnswer,
} from '@connecta/runtime';
import {
  createClient,
  deleteClient,
  findClient,
  findClientId,
  findWorkflow,
  listClients,
  replaceClient,
  type Client,
  type ClientContent,
  type Store,
} from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { z } from 'zod';
import { onceOf } from '../access/caller.ts';
import { withStoreProblems } from '../access/store-problems.ts';

type Operations = FeApiOperations;
type View = OperationAnswer<Operations['getClient'], 200>;

const DEFAULT_RETENTION_DAYS = 30;

/** Clients with their contracts. */
export function clientsRouter({ store }: { store: Store }): Router {
  const router = Router();
  const mayRead = requireRole('admin', 'operator', 'viewer');
  const mayWrite = requireRole('admin', 'operator');
  router.get('/v1/clients', mayRead, async (req, res) => {
    const { limit = 100, cursor } = inputOf<Operations['listClients']>(req).query;
    const after = cursor === undefined ? undefined : decodeCursor(cursor, z.string());
    const rows = await listClients(store, { after, limit: limit + 1 });
    answer<Operations['listClients'], 200>(res, 200, toPage(rows, limit, { item: viewOf, place: ({ name }) => name }));
  });
  router.post('/v1/clients', mayWrite, async (req, res) => {
    const content = await contentOf(store, inputOf<Operations['createClient']>(req).body);
    const { client, repeated } = await withStoreProblems(createClient(store, content, onceOf(req, 'POST /v1/clients')));
    res.setHeader('location', `/v1/clients/${client.id}`);
    send(res, client, repeated ? 200 : 201);
  });
  router.get('/v1/clients/:client', mayRead, async (req, res) => {
    send(res, await findClient(store, await idOf(store, req)));
  });
  router.put('/v1/clients/:client', mayWrite, async (req, res) => {
    const expected = requireIfMatch(req);
    const id = await idOf(store, req);
    const content = await contentOf(store, inputOf<Operations['replaceClient']>(req).body);
    const check = (revision: number): void => assertRevision(expected, revision);
    send(res, await withStoreProblems(replaceClient(store, { id, content, check })));
  });
  router.delete('/v1/clients/:client', mayWrite, async (req, res) => {
    const expected = requireIfMatch(req);
    const id = await idOf(store, req);
    const check = (revision: number): void => assertRevision(expected, revision);
    if (!(await withStoreProblems(deleteClient(store, { id, check })))) throw noClient();
    res.status(204).end();
  });
  return router;
}

async function contentOf(
  store: Store,
  { name, workflow = null, retentionDays = DEFAULT_RETENTION_DAYS }: OperationBody,
): Promise<ClientContent> {
  if (isId(name)) {
    throw new Problem('bad_request', 'A client cannot be called like an id', {
      faults: [{ path: '/name', message: 'must not look like an id' }],
    });
  }
  if (workflow !== null && !(await findWorkflow(store, workflow))) {
    const message = `there is no workflow '${workflow}'`;
    throw new Problem('unknown_workflow', `The contract names a workflow that does not exist: ${message}`, {
      faults: [{ path: '/workflow', message, code: 'unknown_workflow' }],
    });
  }
  return { name, workflow, retentionDays };
}

interface OperationBody {
  name: string;
  workflow?: string | null | undefined;
  retentionDays?: number | undefined;
}

async function idOf(store: Store, req: Request): Promise<ClientId> {
  const id = await findClientId(store, inputOf<Operations['getClient']>(req).path.client);
  if (!id) throw noClient();
  return id;
}

function send(res: Response, client: Client | null, status: 200 | 201 = 200): void {
  if (!client) throw noClient();
  setEtag(res, client.revision);
  answer<Operations['createClient'], 200 | 201>(res, status, viewOf(client));
}

function viewOf(client: Client): View {
  return { ...client, createdAt: client.createdAt.toISOString(), updatedAt: client.updatedAt.toISOString() };
}

function noClient(): Problem {
  return new Problem('not_found', 'There is no such client');
}
