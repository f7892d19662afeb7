import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  TcpProxy,
  losesCommits,
  startEmbedded,
  type Embedded,
  type EmbeddedService,
  type ProcessHandle,
} from '@connecta/embedded';
import { TestSystem } from '../src/system.ts';

/** The hold time of these runs (30 s in production): what a lost worker costs. */
export const HOLD_MS = 5000;
/** Of so many commits nobody hears while commits are lost. */
const LOST_SHARE = 0.05;

/**
 * A whole system to break: its stores are started apart and reached through proxies, so that what connects them can be
 * cut, and answers can get lost.
 */
export class ChaosWorld {
  readonly system: TestSystem;
  readonly stores: Embedded;
  readonly redisWire: TcpProxy;
  /** While true, of every twentieth commit nobody hears although it took place. */
  readonly commits: { lose: boolean; lost: () => number };
  readonly #proxies: readonly TcpProxy[];
  readonly #folder: string;

  private constructor(parts: {
    system: TestSystem;
    stores: Embedded;
    redisWire: TcpProxy;
    proxies: readonly TcpProxy[];
    commits: ChaosWorld['commits'];
    folder: string;
  }) {
    this.system = parts.system;
    this.stores = parts.stores;
    this.redisWire = parts.redisWire;
    this.commits = parts.commits;
    this.#proxies = parts.proxies;
    this.#folder = parts.folder;
  }

  static async start(options: { orchestrators: number; runners: number; slots: number }): Promise<ChaosWorld> {
    const { PATH = '', HOME = '' } = process.env;
    const folder = await mkdtemp(join(tmpdir(), 'connecta-chaos-'));
    const stores = await startEmbedded({ dataDir: join(folder, 'stores'), env: { PATH, QUEUE_BACKEND: 'redis' } });
    const { DATABASE_URL = '', REDIS_URL = '', BLOB_CONNECTION_STRING = '' } = stores.env;
    const losing = losesCommits(LOST_SHARE);
    const commits = { lose: false, lost: losing.lost };
    const databaseWire = await TcpProxy.start({
      target: DATABASE_URL,
      watch: (kill) => {
        const wire = losing.watch(kill);
        return { fromServer: (chunk) => (commits.lose ? wire.fromServer?.(chunk) : undefined) };
      },
    });
    const redisWire = await TcpProxy.start({ target: REDIS_URL });
    const proxies = [databaseWire, redisWire];
    const system = await TestSystem.start({
      env: {
        ...{ PATH, HOME, LOG_LEVEL: 'info', QUEUE_BACKEND: 'redis', BLOB_CONNECTION_STRING },
        ...{ DATABASE_URL: databaseWire.url, REDIS_URL: redisWire.url },
      },
      workerTypes: ['probe'],
      replicas: { orchestrator: options.orchestrators, runner: options.runners },
      slots: options.slots,
      extra: { CONNECTA_HOLD_MS: String(HOLD_MS), WORKER_HEARTBEAT_MS: '1000' },
    });
    return new ChaosWorld({ system, stores, redisWire, proxies, commits, folder });
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

  /** Sends one command to Redis itself, as an operator would by hand. */
  redisCommand(...words: string[]): Promise<void> {
    return this.system.redisCommand(...words);
  }

  /** Orders that have not ended, and attempts in a worker's hands. */
  async inFlight(): Promise<{ orders: number; jobs: number }> {
    const { prisma } = this.system.store;
    const [orders, jobs] = await Promise.all([
      prisma.order.count({ where: { state: { in: ['accepted', 'active'] } } }),
      prisma.job.count({ where: { state: { in: ['invoked', 'queued', 'started'] } } }),
    ]);
    return { orders, jobs };
  }

  async stop(): Promise<void> {
    await this.system.stop();
    for (const proxy of this.#proxies) await proxy.close();
    await this.stores.stop();
    if (!process.env['FEATURES_KEEP']) await rm(this.#folder, { recursive: true, force: true });
  }
}
