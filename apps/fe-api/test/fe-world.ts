import { randomBytes } from 'node:crypto';
import { newId, type ClientId, type OrderId, type ProfileId } from '@connecta/contracts';
import { openBlobs } from '@connecta/blobs';
import { testServices } from '@connecta/embedded';
import { Closers, Metrics, hashKey, newKey, silentLogger, startServer } from '@connecta/runtime';
import {
  OrderWatch,
  assertAdminKey,
  assertClient,
  createApiKey,
  findClientId,
  inBatch,
  lockOrders,
  openStore,
  registerWorker,
  writeOrders,
  type ApiRole,
  type Store,
} from '@connecta/store';
import { defineFunction, startWorkerApi } from '@connecta/worker-kit';
import request from 'supertest';
import { createFeApi } from '../src/fe-api.ts';

const gatewayKey = 'the-gateway-key';

/** fe-api over real services, with a key for each role and a worker type whose API is really there. */
export interface FeWorld {
  store: Store;
  url: string;
  /** Keys by role; `client` belongs to client `own`, `otherClient` to client `other`. */
  keys: Record<ApiRole | 'otherClient', string>;
  clients: { own: ClientId; other: ClientId; default: ClientId };
  /** A request with a role's key. */
  as(role: keyof FeWorld['keys']): Send;
  send: Send;
  /** Makes an accepted order active with its first step under way, as the engine does. */
  begin(id: OrderId): Promise<void>;
  /** Ends the API of the worker type `math`. */
  stopWorkerApi(): Promise<void>;
  close(): Promise<void>;
}

type Send = (method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string) => request.Test;

const add = defineFunction({
  name: 'math.add',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['value'],
    additionalProperties: false,
    properties: { value: { type: 'number' }, secret: { type: 'string', writeOnly: true } },
  },
  inputSchema: { type: 'number' },
  outputSchema: { type: 'number' },
  run: () => Promise.resolve({ value: null }),
});

export async function openFeWorld(name: string): Promise<FeWorld> {
  const services = await testServices();
  const closers = new Closers(silentLogger());
  closers.add('services', () => services.close());
  const databaseUrl = await services.databaseUrl(name);
  const store = closers.use('store', openStore({ databaseUrl, applicationName: name }));
  const watch = closers.use('watch', new OrderWatch({ databaseUrl, onError: () => undefined }));
  const blobs = await openBlobs({ connectionString: services.blobConnectionString, container: `fe-${newId()}` });
  const stopping = new AbortController();
  closers.add('streams', () => stopping.abort());
  const app = createFeApi({
    config: {
      gatewayKey,
      webhookKey: Buffer.alloc(32, 7).toString('base64url'),
      workerUrlAllow: ['127.0.0.1'],
      workerApiTimeoutMs: 2_000,
      maxBlobBytes: 10 * 1024 * 1024,
      uploadTtlMs: 60_000,
      corsOrigins: [],
      oidc: undefined,
    },
    ...{ store, blobs, watch },
    log: silentLogger(),
    metrics: new Metrics({ name: 'fe-api' }),
    stopping: stopping.signal,
    responseValidation: true,
  });
  const server = await startServer(app, { port: 0 });
  closers.add('http', () => server.close(1000));
  const clients = await makeClients(store);
  const keys = await makeKeys(store, clients);
  const stopWorkerApi = await startMathWorker(store, await services.workerDatabaseUrl(name), closers);
  const as =
    (role: keyof FeWorld['keys']): Send =>
    (method, path) =>
      request(server.url)[method](path).set('authorization', `Bearer ${keys[role]}`);
  return {
    ...{ store, url: server.url, keys, clients, as, send: as('admin'), stopWorkerApi },
    begin: (id) => begin(store, id),
    close: () => closers.close(),
  };
}

async function makeClients(store: Store): Promise<FeWorld['clients']> {
  for (const name of ['default', 'own', 'other']) await assertClient(store, name);
  const idOf = async (name: string): Promise<ClientId> => (await findClientId(store, name)) as ClientId;
  return { default: await idOf('default'), own: await idOf('own'), other: await idOf('other') };
}

async function makeKeys(store: Store, clients: FeWorld['clients']): Promise<FeWorld['keys']> {
  const make = async (role: ApiRole, clientId: ClientId | null = null): Promise<string> => {
    const key = newKey('ck');
    await createApiKey(store, { name: role, role, clientId, hash: hashKey(key) });
    return key;
  };
  const admin = newKey('ck');
  await assertAdminKey(store, hashKey(admin));
  return {
    admin,
    operator: await make('operator'),
    viewer: await make('viewer'),
    client: await make('client', clients.own),
    otherClient: await make('client', clients.other),
  };
}

async function startMathWorker(store: Store, databaseUrl: string, closers: Closers): Promise<() => Promise<void>> {
  const own = new Closers(silentLogger());
  closers.add('worker', () => own.close());
  const { url } = await startWorkerApi({
    workerType: { type: 'math', version: '1.0.0', owner: { team: 't', contact: 'c' }, functions: [add] },
    config: {
      ...{ logLevel: 'silent', parentWatch: 'none', stopTimeoutMs: 1000 },
      // Nobody listens there: what this API has to tell be-api is not part of these tests.
      ...{ beApiUrl: 'http://127.0.0.1:9', serviceAccountKey: 'sk_none', databaseUrl },
      ...{ profileEncryptionKey: randomBytes(32).toString('base64url'), formerEncryptionKeys: [], dataDir: undefined },
      ...{ port: 0, host: '127.0.0.1', publicUrl: undefined, gatewayKey, responseValidation: true },
    },
    log: silentLogger(),
    closers: own,
  });
  const common = { version: '1.0.0', language: 'typescript', owner: { team: 't', contact: 'c' }, labels: {} };
  const profile = (name: string) => ({ id: newId<ProfileId>(), name, function: 'math.add', revision: 1 });
  await registerWorker(store, {
    ...{ ...common, type: 'math', role: 'api', instance: 'math-api', slots: 0, transport: 'bullmq', heartbeatMs: 5000 },
    ...{ apiUrl: url, functions: [{ name: 'math.add', version: '1.0.0' }] },
    profiles: ['one', 'two', 'three'].map(profile),
  });
  return () => own.close();
}

async function begin(store: Store, id: OrderId): Promise<void> {
  await inBatch(store, async (batch) => {
    const [order] = await lockOrders(batch, [id]);
    if (order?.state !== 'accepted') throw new Error('it is not accepted');
    await batch.commit([
      batch.run(
        'test_job',
        `INSERT INTO jobs (id, order_id, step, worker_type, function, profile_id, profile_revision, state, attempt, input, invoked_at)
         SELECT $1, o.id, s.key, 'math', 'math.add', (s.value->>'profileId')::uuid, 1, 'queued', 1, o.input, now() - interval '1 second'
         FROM orders o JOIN plans p ON p.id = o.plan_id, json_each(p.steps->'steps') s
         WHERE o.id = $2 AND json_array_length(s.value->'needs') = 0`,
        [newId(), id],
      ),
      writeOrders(batch, {
        orders: [{ id, state: 'active', version: 1, progress: { one: 'queued' } }],
        history: [{ orderId: id, seq: 1, events: [{ type: 'order', state: 'active', epoch: 1 }] }],
        jobs: [],
      }),
    ]);
  });
}
