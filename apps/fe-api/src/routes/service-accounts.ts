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
  ANY_CLIENT,
  createServiceAccount,
  findClient,
  findClientId,
  findManagedServiceAccount,
  listServiceAccounts,
  revokeServiceAccount,
  updateServiceAccount,
  type ManagedServiceAccount,
  type Store,
} from '@connecta/store';
import { Router } from 'express';
import { z } from 'zod';
import { onceOf } from '../access/caller.ts';
import { alreadyCreated, withStoreProblems } from '../access/store-problems.ts';

type Operations = FeApiOperations;
type View = OperationAnswer<Operations['getServiceAccount'], 200>;

/** What worker types show at the back API. */
export function serviceAccountsRouter({ store }: { store: Store }): Router {
  const router = Router();
  const admin = requireRole('admin');
  router.get('/v1/service-accounts', admin, async (req, res) => {
    const { limit = 100, cursor } = inputOf<Operations['listServiceAccounts']>(req).query;
    const before = cursor === undefined ? undefined : decodeCursor(cursor, z.uuid());
    const rows = await listServiceAccounts(store, { before, limit: limit + 1 });
    const page = toPage(rows, limit, { item: viewOf, place: ({ id }) => id });
    answer<Operations['listServiceAccounts'], 200>(res, 200, page);
  });
  router.post('/v1/service-accounts', admin, async (req, res) => {
    const {
      name,
      workerType,
      allowedClients = [],
      blobAccess = 'gateway',
      mayNameFiles = false,
    } = inputOf<Operations['createServiceAccount']>(req).body;
    const key = newKey('sk');
    const clients = await namesOf(store, allowedClients);
    const wanted = { name, workerType, blobAccess, mayNameFiles, allowedClients: clients, hash: hashKey(key) };
    const { account, repeated } = await withStoreProblems(
      createServiceAccount(store, wanted, onceOf(req, 'POST /v1/service-accounts')),
    );
    if (repeated) throw alreadyCreated('account', account.id);
    res.setHeader('location', `/v1/service-accounts/${account.id}`);
    res.setHeader('cache-control', 'no-store');
    answer<Operations['createServiceAccount'], 201>(res, 201, { ...viewOf(account), lastUsedAt: null, key });
  });
  router.get('/v1/service-accounts/:id', admin, async (req, res) => {
    const found = await findManagedServiceAccount(store, inputOf<Operations['getServiceAccount']>(req).path.id);
    if (!found) throw noAccount();
    answer<Operations['getServiceAccount'], 200>(res, 200, viewOf(found));
  });
  router.patch('/v1/service-accounts/:id', admin, async (req, res) => {
    const { path, body } = inputOf<Operations['updateServiceAccount']>(req);
    const allowedClients = body.allowedClients && (await namesOf(store, body.allowedClients));
    const { blobAccess, mayNameFiles } = body;
    const changed = await updateServiceAccount(store, path.id, { allowedClients, blobAccess, mayNameFiles });
    if (!changed) throw noAccount();
    answer<Operations['updateServiceAccount'], 200>(res, 200, viewOf(changed));
  });
  router.delete('/v1/service-accounts/:id', admin, async (req, res) => {
    const { id } = inputOf<Operations['revokeServiceAccount']>(req).path;
    if (!(await revokeServiceAccount(store, id))) throw noAccount();
    res.status(204).end();
  });
  return router;
}

/** The names of clients that were given by id or name. @throws Problem invalid_input naming all that do not exist */
async function namesOf(store: Store, clients: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    clients.map(async (client) => {
      if (client === ANY_CLIENT) return ANY_CLIENT;
      const id: ClientId | null = await findClientId(store, client);
      return (id && (await findClient(store, id))?.name) ?? null;
    }),
  );
  const faults = clients.flatMap((client, i) =>
    found[i] === null
      ? [{ path: `/allowedClients/${i}`, message: `there is no client '${client}'`, code: 'unknown_client' }]
      : [],
  );
  if (faults.length > 0) throw new Problem('invalid_input', 'Some of the clients do not exist', { faults });
  return [...new Set(found.filter((name) => name !== null))];
}

function viewOf(account: ManagedServiceAccount): View {
  return {
    ...account,
    createdAt: account.createdAt.toISOString(),
    lastUsedAt: account.lastUsedAt?.toISOString() ?? null,
  };
}

function noAccount(): Problem {
  return new Problem('not_found', 'There is no such service account');
}
