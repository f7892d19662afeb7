import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaseKey } from '@connecta/contracts';
import { TcpProxy, startEmbedded, type Embedded, type EmbeddedService, type ProcessHandle } from '@connecta/embedded';
import { openQueue, type QueueBackend } from '@connecta/queue';
import { openStore, type Store } from '@connecta/store';
import { HttpWorker } from '../src/http-worker.ts';
import { Ledger } from '../src/ledger.ts';
import { TestSystem } from '../src/system.ts';
import { DatabaseWire } from './database-wire.ts';
import { blockMsOf, heartbeatMsOf, type Extent } from './extent.ts';

const ORCHESTRATORS = 3;
const RUNNERS = 3;
const SLOTS = 10;

interface WorldParts {
  readonly extent: Extent;
  readonly system: TestSystem;
  readonly stores: Embedded;
  readonly database: DatabaseWire;
  readonly redis: TcpProxy;
  readonly httpWorker: HttpWorker;
  readonly folder: string;
}

/**
 * A whole system to break: three orchestrators, three runners and a worker that speaks HTTP. Its stores are started apart
 * and reached through proxies, so that what connects them can be cut and watched; whoever looks at them goes past these.
 */
export class ChaosWorld {
  readonly extent: Extent;
  readonly system: TestSystem;
  readonly stores: Embedded;
  readonly database: DatabaseWire;
  readonly redis: TcpProxy;
  readonly httpWorker: HttpWorker;
  readonly ledger: Ledger;
  /** The database and the queues as they are, whatever the system sees of them. */
  readonly store: Store;
  readonly queue: QueueBackend;
  readonly #folder: string;

  private constructor({ extent, system, stores, database, redis, httpWorker, folder }: WorldParts) {
    this.extent = extent;
    this.system = system;
    this.stores = stores;
    this.database = database;
    this.redis = redis;
    this.httpWorker = httpWorker;
    this.ledger = new Ledger(system.ledgerFile);
    const { DATABASE_URL: databaseUrl = '', REDIS_URL: url = '' } = stores.env;
    this.store = openStore({ databaseUrl, applicationName: 'chaos' });
    // Deliveries that are made twice travel in packs: by themselves the queue would know their ids.
    const pack = { above: 1, size: 8, putBackMs: 250 };
    this.queue = openQueue({ kind: 'redis', url, prefix: 'connecta', onError: () => undefined, pack });
    this.#folder = folder;
  }

  static async start(extent: Extent): Promise<ChaosWorld> {
    const { PATH = '', HOME = '' } = process.env;
    const folder = await mkdtemp(join(tmpdir(), 'connecta-chaos-'));
    const stores = await startEmbedded({ dataDir: join(folder, 'stores'), env: { PATH, QUEUE_BACKEND: 'redis' } });
    const { DATABASE_URL = '', REDIS_URL = '', BLOB_CONNECTION_STRING = '' } = stores.env;
    const database = await DatabaseWire.start(DATABASE_URL);
    const redis = await TcpProxy.start({ target: REDIS_URL });
    const blockMs = String(blockMsOf(extent));
    const system = await TestSystem.start({
      env: {
        ...{ PATH, HOME, LOG_LEVEL: 'info', QUEUE_BACKEND: 'redis', BLOB_CONNECTION_STRING },
        ...{ DATABASE_URL: database.url, REDIS_URL: redis.url },
      },
      workerTypes: ['probe'],
      replicas: { orchestrator: ORCHESTRATORS, runner: RUNNERS },
      slots: SLOTS,
      extra: {
        ...{
          CONNECTA_HOLD_MS: String(extent.holdMs),
          WORKER_HEARTBEAT_MS: String(heartbeatMsOf(extent)),
          WEBHOOK_TIMEOUT_MS: '2000',
        },
        PROBE_BLOCK_MS: blockMs,
      },
    });
    const httpWorker = new HttpWorker({
      ...{ BE_API_URL: system.running.beUrl, SERVICE_ACCOUNT_KEY: await serviceKey(system, 'probe') },
      ...{ PROBE_LEDGER: system.ledgerFile, PROBE_BLOCK_MS: blockMs, MS: '250', SLOTS: String(SLOTS) },
    });
    await httpWorker.restart();
    return new ChaosWorld({ extent, system, stores, database, redis, httpWorker, folder });
  }

  /** Processes whose names begin so: `orchestrator`, `probe-runner`, `fe-api` … */
  processes(prefix: string): ProcessHandle[] {
    return [...this.system.running.processes].filter(([name]) => name.startsWith(prefix)).map(([, handle]) => handle);
  }

  service(name: 'postgres' | 'redis'): EmbeddedService {
    const service = this.stores.services[name];
    if (!service) throw new Error(`chaos needs a ${name} of its own`);
    return service;
  }

  /** A key by which a worker of this type speaks to be-api. */
  serviceKey(workerType: string): Promise<string> {
    return serviceKey(this.system, workerType);
  }

  /** Signs leases as the orchestrators do. */
  leaseKey(): ReturnType<typeof leaseKey> {
    return leaseKey(this.system.running.embedded.dataDir.secret('lease-key', 32));
  }

  /** Ids of the deliveries in the queue, waiting and taken. */
  async deliveries(): Promise<string[]> {
    const { waiting, active } = await this.queue.jobs.ids('probe');
    return [...waiting, ...active];
  }

  async stop(): Promise<void> {
    await this.httpWorker.halt();
    await this.queue.close();
    await this.store.close();
    await this.system.stop();
    for (const proxy of [this.database, this.redis]) await proxy.close();
    await this.stores.stop();
    if (!process.env['FEATURES_KEEP']) await rm(this.#folder, { recursive: true, force: true });
  }
}

async function serviceKey({ api }: TestSystem, workerType: string): Promise<string> {
  const body = { name: `http-${workerType}`, workerType, allowedClients: [] };
  const { status, body: made } = await api.send<{ key: string }>('POST', '/v1/service-accounts', { body });
  if (status !== 201) throw new Error(`a service account was answered ${status}`);
  return made.key;
}
