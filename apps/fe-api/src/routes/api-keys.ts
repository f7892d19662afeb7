import { Problem, type ClientId, type FeApiOperations } from '@connecta/contracts';
import {
  answer,
  decodeCursor,
  hashKey,
  inputOf,
  newKey,
  requireRole,
  toPage,
  type OperationAnswer,
} from '@connecta/runtime';
import {
  createApiKey,
  findApiKey,
  findClientId,
  listApiKeys,
  revokeApiKey,
  type ApiKey,
  type ApiRole,
  type Store,
} from '@connecta/store';
import { Router } from 'express';
import { z } from 'zod';
import { callerOf, onceOf } from '../access/caller.ts';
import { alreadyCreated, withStoreProblems } from '../access/store-problems.ts';

type Operations = FeApiOperations;
type View = OperationAnswer<Operations['getApiKey'], 200>;

/** Keys for this API: shown once, kept as a hash. */
export function apiKeysRouter({ store }: { store: Store }): Router {
  const router = Router();
  const admin = requireRole('admin');
  router.get('/v1/me', (req, res) => {
    const { name, role, clientName } = callerOf(req);
    answer<Operations['getMe'], 200>(res, 200, { name, role, client: clientName });
  });
  router.get('/v1/api-keys', admin, async (req, res) => {
    const { limit = 100, cursor } = inputOf<Operations['listApiKeys']>(req).query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, z.uuid());
    const rows = await listApiKeys(store, { before, limit: limit + 1 });
    answer<Operations['listApiKeys'], 200>(res, 200, toPage(rows, limit, { item: viewOf, place: ({ id }) => id }));
  });
  router.post('/v1/api-keys', admin, async (req, res) => {
    const { name, role, client } = inputOf<Operations['createApiKey']>(req).body;
    const clientId = await clientOf(store, role, client);
    const key = newKey('ck');
    const { apiKey, repeated } = await withStoreProblems(
      createApiKey(store, { name, role, clientId, hash: hashKey(key) }, onceOf(req, 'POST /v1/api-keys')),
    );
    if (repeated) throw alreadyCreated('key', apiKey.id);
    res.setHeader('location', `/v1/api-keys/${apiKey.id}`);
    res.setHeader('cache-control', 'no-store');
    answer<Operations['createApiKey'], 201>(res, 201, { ...viewOf(apiKey), lastUsedAt: null, key });
  });
  router.get('/v1/api-keys/:id', admin, async (req, res) => {
    const found = await findApiKey(store, inputOf<Operations['getApiKey']>(req).path.id);
    if (!found) throw noKey();
    answer<Operations['getApiKey'], 200>(res, 200, viewOf(found));
  });
  router.delete('/v1/api-keys/:id', admin, async (req, res) => {
    if (!(await revokeApiKey(store, inputOf<Operations['revokeApiKey']>(req).path.id))) throw noKey();
    res.status(204).end();
  });
  return router;
}

/** The client that a key is limited to: only keys of the role `client` have one, and they must. */
async function clientOf(store: Store, role: ApiRole, client: string | undefined): Promise<ClientId | null> {
  if (role !== 'client' && client === undefined) return null;
  const message = role === 'client' ? 'is required for the role client' : 'only goes with the role client';
  if (role !== 'client' || client === undefined) {
    throw new Problem('bad_request', `client ${message}`, { faults: [{ path: '/client', message }] });
  }
  const id = await findClientId(store, client);
  if (id) return id;
  throw new Problem('invalid_input', `There is no client '${client}'`, {
    faults: [{ path: '/client', message: `there is no client '${client}'`, code: 'unknown_client' }],
  });
}

function viewOf({ id, name, role, clientName, createdAt, lastUsedAt }: ApiKey): View {
  return {
    ...{ id, name, role, client: clientName },
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

function noKey(): Problem {
  return new Problem('not_found', 'There is no such API key');
}
