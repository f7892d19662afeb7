import { randomBytes } from 'node:crypto';
import {
  newId,
  type BeApiOperations,
  type ClientId,
  type JobId,
  type JobState,
  type OrderId,
  type OrderState,
  type PlanId,
  type ProfileId,
  type WorkflowVersionId,
} from '@connecta/contracts';
import { openBlobs, type Blobs } from '@connecta/blobs';
import { testServices, type TestServices } from '@connecta/embedded';
import { openQueue, type QueueBackend } from '@connecta/queue';
import { Metrics, newKey, silentLogger } from '@connecta/runtime';
import { OrderWatch, openStore, seedServiceAccounts, type Store } from '@connecta/store';
import type { Express } from 'express';
import request, { type Test } from 'supertest';
import { createBeApi } from '../src/be-api.ts';

/** be-api with real stores, and one service account for each of the types `painter`, `packer` and `cu`. */
export class Harness {
  readonly store: Store;
  readonly queue: QueueBackend;
  readonly blobs: Blobs;
  readonly app: Express;
  readonly leaseKey = randomBytes(32).toString('base64url');
  readonly clientId = newId<ClientId>();
  readonly keys = { painter: newKey('sk'), packer: newKey('sk'), cu: newKey('sk') };
  readonly databaseUrl: string;
  /** For a be-api over the same stores in a process of its own. */
  readonly environment: Record<string, string>;
  readonly #services: TestServices;
  readonly #watch: OrderWatch;
  readonly #stopping = new AbortController();

  private constructor(
    services: TestServices,
    parts: { databaseUrl: string; queue: QueueBackend; queueUrl: string; blobs: Blobs },
  ) {
    const { databaseUrl, queue, blobs } = parts;
    this.#services = services;
    this.databaseUrl = databaseUrl;
    this.environment = {
      DATABASE_URL: databaseUrl,
      QUEUE_BACKEND: queue.kind,
      [queue.kind === 'redis' ? 'REDIS_URL' : 'QUEUE_DATABASE_URL']: parts.queueUrl,
      QUEUE_PREFIX: services.redisPrefix,
      BLOB_CONNECTION_STRING: services.blobConnectionString,
      CONNECTA_LEASE_KEY: this.leaseKey,
    };
    this.queue = queue;
    this.blobs = blobs;
    this.store = openStore({ databaseUrl, applicationName: 'be-api-test' });
    this.#watch = new OrderWatch({ databaseUrl, onError: () => undefined });
    this.app = createBeApi({
      config: {
        queue: { kind: queue.kind, url: '', prefix: services.redisPrefix },
        queueWorkerUrl: undefined,
        leaseKey: this.leaseKey,
        workerUrlAllow: ['127.0.0.1', 'localhost'],
        heartbeatMs: 5_000,
        maxBlobBytes: 1_000_000,
        corsOrigins: [],
      },
      store: this.store,
      queue,
      blobs,
      watch: this.#watch,
      log: silentLogger(),
      metrics: new Metrics({ name: 'be-api' }),
      stopping: this.#stopping.signal,
      responseValidation: true,
    });
  }

  static async start(): Promise<Harness> {
    const services = await testServices();
    const databaseUrl = await services.databaseUrl('be-api');
    const [kind = 'postgres'] = services.queueBackends;
    const url = kind === 'redis' ? (services.redisUrl ?? '') : await services.queueDatabaseUrl();
    const queue = openQueue({ kind, url, prefix: services.redisPrefix, onError: () => undefined });
    const blobs = await openBlobs({
      connectionString: services.blobConnectionString,
      container: `be-api-${randomBytes(6).toString('hex')}`,
    });
    const harness = new Harness(services, { databaseUrl, queue, queueUrl: url, blobs });
    await harness.store.prisma.client.create({ data: { id: harness.clientId, name: 'client-x' } });
    await seedServiceAccounts(databaseUrl, [
      { workerType: 'painter', key: harness.keys.painter },
      { workerType: 'packer', key: harness.keys.packer },
      { workerType: 'cu', key: harness.keys.cu, allowedClients: ['client-x'], mayNameFiles: true },
    ]);
    return harness;
  }

  as(account: keyof Harness['keys']): Record<'get' | 'post' | 'put' | 'delete', (path: string) => Test> {
    const authorization = `Bearer ${this.keys[account]}`;
    return {
      get: (path) => request(this.app).get(path).set({ authorization }),
      post: (path) => request(this.app).post(path).set({ authorization }),
      put: (path) => request(this.app).put(path).set({ authorization }),
      delete: (path) => request(this.app).delete(path).set({ authorization }),
    };
  }

  /** Registers and expects it to go well. */
  async register(body: Record<string, unknown>, as: keyof Harness['keys'] = 'painter'): Promise<Registered> {
    return (await this.as(as).post('/v1/workers').send(body).expect(201)).body as Registered;
  }

  /** An order with one job, straight in the database. */
  async job(options: {
    workerType: string;
    state: JobState;
    attempt?: number;
    orderState?: OrderState;
  }): Promise<{ id: JobId; orderId: OrderId }> {
    const { prisma } = this.store;
    const versionId = newId<WorkflowVersionId>();
    const planId = newId<PlanId>();
    const orderId = newId<OrderId>();
    const id = newId<JobId>();
    await prisma.workflowVersion.create({ data: { id: versionId, hash: versionId, definition: {} } });
    const { workerType, state } = options;
    const pinned = { workerType, function: 'f', profileId: newId<ProfileId>(), profileRevision: 1 };
    const asPlanned = { kind: 'task', functionVersion: '1.0.0', ...pinned };
    const steps = { steps: { one: { ...asPlanned, uses: `${workerType}/one`, needs: [] } }, outputs: ['one'] };
    await prisma.plan.create({ data: { id: planId, hash: planId, workflowVersionId: versionId, steps } });
    await prisma.order.create({
      data: {
        ...{ id: orderId, clientId: this.clientId, planId, state: options.orderState ?? 'active' },
        ...{ input: 1, createdBy: 'test', traceparent: '', progress: { one: state } },
      },
    });
    await prisma.job.create({
      data: {
        ...{ id, orderId, step: 'one', ...pinned, input: 1, state, attempt: options.attempt ?? 1 },
        startedAt: state === 'started' ? new Date() : null,
      },
    });
    return { id, orderId };
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#watch.close();
    await this.queue.close();
    await this.store.close();
    await this.#services.close();
  }
}

/** A registration that is right. */
export function registration(type: string, more: object = {}): Record<string, unknown> {
  return {
    ...{ type, role: 'runner', instance: `${type}-1`, version: '1.0.0', language: 'typescript', slots: 4 },
    ...{ owner: { team: 'team', contact: 'team@example.org' }, transport: 'bullmq', protocolVersion: 1 },
    functions: [{ name: `${type}.do`, version: '1.0.0', settingsSchema: {}, inputSchema: {}, outputSchema: {} }],
    ...more,
  };
}

/** A registration of the process that keeps the profiles. */
export function apiRegistration(type: string, more: object = {}): Record<string, unknown> {
  return registration(type, {
    ...{ role: 'api', instance: `${type}-api`, slots: 0, apiUrl: 'http://127.0.0.1:4711', profiles: [] },
    ...more,
  });
}

type Registered = BeApiOperations['registerWorker']['responses'][201]['content']['application/json'];

/** Where the faults of a problem document are. */
export function faultPaths(body: unknown): string[] {
  return (body as { errors: { path: string }[] }).errors.map(({ path }) => path);
}
