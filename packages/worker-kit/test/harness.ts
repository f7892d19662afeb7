import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  deliveryId,
  leaseKey,
  newId,
  signLease,
  type BlobId,
  type BlobRef,
  type JobId,
  type JobMessage,
  type JsonValue,
  type OrderId,
  type WorkerEvent,
} from '@connecta/contracts';
import { openBlobs, type Blobs } from '@connecta/blobs';
import { testServices, type TestServices } from '@connecta/embedded';
import { openQueue, type EventReader, type QueueBackend } from '@connecta/queue';
import pg from 'pg';
import { WORKER_TYPE } from './worker-type.ts';

const repository = join(import.meta.dirname, '../../..');

/** A real be-api in a process of its own over real stores, and what the engine would do: jobs, leases, reports. */
export class Harness {
  readonly services: TestServices;
  readonly workerDatabaseUrl: string;
  readonly beApiUrl: string;
  readonly serviceAccountKey = `sk_${randomBytes(32).toString('base64url')}`;
  readonly queue: QueueBackend;
  readonly reports: WorkerEvent[] = [];
  readonly #pool: pg.Pool;
  readonly #env: Record<string, string>;
  readonly #leaseKey: string;
  readonly #clientId = newId();
  readonly #blobs: Blobs;
  readonly #reader: EventReader;
  readonly #reading: Promise<void>;
  #beApi: ChildProcess | undefined;
  #closing = false;

  private constructor(
    services: TestServices,
    made: {
      databaseUrl: string;
      workerDatabaseUrl: string;
      queueUrl: string;
      port: number;
      blobs: Blobs;
      container: string;
    },
  ) {
    const [kind = 'postgres'] = services.queueBackends;
    this.services = services;
    this.workerDatabaseUrl = made.workerDatabaseUrl;
    this.beApiUrl = `http://127.0.0.1:${made.port}`;
    this.#leaseKey = randomBytes(32).toString('base64url');
    this.#pool = new pg.Pool({ connectionString: made.databaseUrl });
    this.#blobs = made.blobs;
    this.#env = {
      DATABASE_URL: made.databaseUrl,
      QUEUE_BACKEND: kind,
      [kind === 'redis' ? 'REDIS_URL' : 'QUEUE_DATABASE_URL']: made.queueUrl,
      QUEUE_PREFIX: services.redisPrefix,
      BLOB_CONNECTION_STRING: services.blobConnectionString,
      BLOB_CONTAINER: made.container,
      CONNECTA_LEASE_KEY: this.#leaseKey,
      CONNECTA_BE_PORT: String(made.port),
      WORKER_HEARTBEAT_MS: '200',
      LOG_LEVEL: 'error',
      CONNECTA_PARENT_WATCH: 'stdin',
    };
    this.queue = openQueue({ kind, url: made.queueUrl, prefix: services.redisPrefix, onError: () => undefined });
    this.#reader = this.queue.events.reader({ consumer: 'test', workerTypes: () => [WORKER_TYPE] });
    this.#reading = this.#read();
  }

  static async open(name: string): Promise<Harness> {
    const services = await testServices();
    const [kind = 'postgres'] = services.queueBackends;
    const container = `kit-${randomBytes(6).toString('hex')}`;
    const harness = new Harness(services, {
      databaseUrl: await services.databaseUrl(name),
      workerDatabaseUrl: await services.workerDatabaseUrl(name),
      queueUrl: kind === 'redis' ? (services.redisUrl ?? '') : await services.queueDatabaseUrl(name),
      port: await freePort(),
      blobs: await openBlobs({ connectionString: services.blobConnectionString, container }),
      container,
    });
    await harness.#seed();
    return harness;
  }

  /** Starts be-api and waits until it answers. */
  async startBeApi(): Promise<void> {
    const entry = join(repository, 'apps/be-api/src/main.ts');
    const child = spawn(process.execPath, [entry], {
      env: { ...this.#env, PATH: process.env['PATH'] },
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    this.#beApi = child;
    for (let tries = 0; tries < 200; tries++) {
      if (child.exitCode !== null) throw new Error('be-api ended');
      if (
        await fetch(`${this.beApiUrl}/live`).then(
          (r) => r.ok,
          () => false,
        )
      )
        return;
      await sleep(50);
    }
    throw new Error('be-api did not start');
  }

  async killBeApi(): Promise<void> {
    const child = this.#beApi;
    this.#beApi = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** A job as the engine would hand it out; its row says `queued`. */
  async sendJob(job: {
    profileId: string;
    function: string;
    input: JsonValue | BlobRef;
    attempt?: number;
    id?: JobId;
    orderId?: OrderId;
  }): Promise<JobId> {
    const jobId = job.id ?? newId<JobId>();
    const attempt = job.attempt ?? 1;
    const orderId = job.orderId ?? (await this.#insertOrder(job.input));
    await this.sql(
      `INSERT INTO jobs (id, order_id, step, worker_type, function, profile_id, profile_revision, state, attempt, input)
       VALUES ($1, $2, 'one', $3, $4, $5, 1, 'queued', $6, $7) ON CONFLICT (id) DO UPDATE SET attempt = excluded.attempt`,
      [jobId, orderId, WORKER_TYPE, job.function, job.profileId, attempt, JSON.stringify(job.input)],
    );
    const data = { ...inputOf(job.input), ...this.#messageHead({ jobId, attempt, orderId, profileId: job.profileId }) };
    await this.queue.jobs.enqueue(
      new Map([[WORKER_TYPE, [{ id: deliveryId(jobId, attempt), name: job.function, data }]]]),
    );
    return jobId;
  }

  /** Stores bytes for the client. */
  async blob(bytes: Buffer, mediaType: string): Promise<BlobRef> {
    const blobId = newId<BlobId>();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await this.#blobs.put(
      (async function* () {
        yield bytes;
      })(),
      { id: blobId, mediaType },
    );
    await this.sql(
      `INSERT INTO blobs (id, owner_client_id, state, media_type, size, sha256) VALUES ($1, $2, 'ready', $3, $4, $5)`,
      [blobId, this.#clientId, mediaType, bytes.length, sha256],
    );
    return { blobId, mediaType, size: bytes.length, sha256 };
  }

  /** The bytes of a blob that a job made. */
  async bytesOf(ref: BlobRef): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of await this.#blobs.get(ref.blobId, { expect: ref })) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  /** The report that ends a job. */
  end(jobId: JobId, attempt = 1): Promise<Extract<WorkerEvent, { type: 'completed' | 'failed' }>> {
    return until(() => {
      const end = this.reports.find(
        (r) => r.jobId === jobId && r.attempt === attempt && (r.type === 'completed' || r.type === 'failed'),
      );
      return end?.type === 'completed' || end?.type === 'failed' ? end : undefined;
    });
  }

  async sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#pool.query<Row>(text, values)).rows;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.killBeApi();
    await this.#reader.close();
    await this.#reading;
    await this.queue.close();
    await this.#pool.end();
    await this.services.close();
  }

  async #seed(): Promise<void> {
    await this.sql(`INSERT INTO clients (id, name) VALUES ($1, 'client-x')`, [this.#clientId]);
    await this.sql(
      `INSERT INTO service_accounts (id, name, worker_type, allowed_clients, hash) VALUES ($1, $2, $2, '{client-x}', $3)`,
      [newId(), WORKER_TYPE, createHash('sha256').update(this.serviceAccountKey).digest('hex')],
    );
  }

  async #insertOrder(input: JsonValue): Promise<OrderId> {
    const [orderId, planId, versionId] = [newId<OrderId>(), newId(), newId()];
    await this.sql(`INSERT INTO workflow_versions (id, hash, definition) VALUES ($1, $2, '{}')`, [
      versionId,
      versionId,
    ]);
    await this.sql(`INSERT INTO plans (id, hash, workflow_version_id, steps) VALUES ($1, $2, $3, '{}')`, [
      planId,
      planId,
      versionId,
    ]);
    await this.sql(
      `INSERT INTO orders (id, client_id, plan_id, state, input, created_by, traceparent) VALUES ($1, $2, $3, 'active', $4, 'test', '')`,
      [orderId, this.#clientId, planId, JSON.stringify(input)],
    );
    return orderId;
  }

  #messageHead(job: { jobId: JobId; attempt: number; orderId: OrderId; profileId: string }): Omit<JobMessage, 'value'> {
    const { jobId, attempt, orderId } = job;
    const expiresAtMs = Date.now() + 3_600_000;
    return {
      profileId: job.profileId as JobMessage['profileId'],
      profileRevision: 1,
      lease: signLease(leaseKey(this.#leaseKey), { orderId, jobId, attempt, workerType: WORKER_TYPE, expiresAtMs }),
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
  }

  async #read(): Promise<void> {
    while (!this.#closing) {
      const batch = await this.#reader.read({ max: 100, blockMs: 500 });
      this.reports.push(...batch.events.map(({ body }) => body as WorkerEvent));
      if (batch.events.length > 0) await batch.ack();
    }
  }
}

/** Polls until there is a value; 15 s at most. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>, timeoutMs = 15_000): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  while (Date.now() < endMs) {
    const value = await look();
    if (value !== undefined) return value;
    await sleep(25);
  }
  throw new Error('it did not happen in time');
}

function inputOf(input: JsonValue | BlobRef): Partial<JobMessage> {
  if (typeof input !== 'object' || input === null || Array.isArray(input) || !('blobId' in input))
    return { value: input };
  const { blobId, ...blob } = input as BlobRef;
  return { blobId, blob };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
