import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureDatabase } from '../postgres/databases.ts';
import { migrateDeploy } from '../postgres/migrate-deploy.ts';
import { choosePort } from '../ports.ts';
import { startEmbedded } from '../start-embedded.ts';
import type { Embedded, GivenEnvironment } from '../start-embedded.ts';
import { SupervisedProcess } from '../supervised-process.ts';
import type { ProcessHandle, ProcessLog } from '../supervised-process.ts';
import {
  bundledWorkerTypes,
  commonEnvironment,
  numbered,
  platformProcesses,
  systemKeys,
  workerDatabaseName,
  workerProcesses,
} from './environment.ts';
import type { ProcessSpec, SystemFacts } from './environment.ts';
import { legacySamples } from './legacy-samples.ts';

const repository = join(import.meta.dirname, '../../../..');
const readyTimeoutMs = 60_000;

/** A service account to be known before the first worker registers. */
export interface ServiceAccountSeed {
  readonly workerType: string;
  readonly key: string;
  /** Names of the clients that it may place orders for; `*` for all. */
  readonly allowedClients: readonly string[];
  /** Whether it may name files of legacy shares. */
  readonly mayNameFiles: boolean;
}

/** How large a system to start; the defaults are those of `npm start`. */
export interface SystemOptions {
  readonly dataDir: string;
  readonly env: GivenEnvironment & Readonly<Record<string, string | undefined>>;
  /** Makes the service accounts known to be-api; given, since this package stands below the store. */
  readonly seedServiceAccounts: (databaseUrl: string, accounts: readonly ServiceAccountSeed[]) => Promise<unknown>;
  readonly log?: ProcessLog;
  /** Fixed ports of the gateways; without them free ones, kept over restarts. */
  readonly ports?: { readonly fe: number; readonly be: number };
  readonly workerTypes?: readonly string[];
  /** Where the entries of types outside `workers/` are, relative to the repository. */
  readonly entries?: Readonly<Record<string, string>>;
  readonly replicas?: { readonly orchestrator?: number; readonly runner?: number };
  readonly slots?: number;
  /** Sets the examples of `examples/legacy` up: commands, shares, the resident program, an inbox. */
  readonly legacySamples?: boolean;
  /** Variables for every process, such as shorter timers. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** A whole running system, each process of it in reach of whoever wants to break it. */
export interface RunningSystem {
  readonly feUrl: string;
  readonly beUrl: string;
  readonly adminKey: string;
  readonly embedded: Embedded;
  /** By name: `fe-api`, `be-api`, `orchestrator`, `generic-api`, `generic-runner`, `generic-runner-2` … */
  readonly processes: ReadonlyMap<string, ProcessHandle>;
  /** Stops fe-api and the workers, then be-api and the engine, the stores last; bounded, a second call does nothing. */
  stop(): Promise<void>;
}

/** Starts stores, migrates the databases, makes the keys and boots every process; resolves when all are ready. */
export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const { env, log = () => undefined, workerTypes = bundledWorkerTypes, extra = {} } = options;
  const embedded = await startEmbedded({ dataDir: options.dataDir, env, log });
  const fleet = new Fleet(embedded, { log, common: commonEnvironment(env) });
  try {
    const keys = systemKeys(embedded.dataDir, env['CONNECTA_ADMIN_KEY']);
    const databaseUrl = embedded.env['DATABASE_URL'] ?? '';
    await migrateDeploy(databaseUrl, join(repository, 'prisma/orchestrator/migrations'));
    const accounts = workerTypes.map((type) => ({
      workerType: type,
      key: keys.worker(type).serviceAccountKey,
      // One machine, one owner: an inbox may place the orders of whichever client its folder is for.
      allowedClients: ['*'],
      mayNameFiles: type === 'cu',
    }));
    await options.seedServiceAccounts(databaseUrl, accounts);
    const ports = await gatewayPorts(embedded, options.ports);
    const facts: SystemFacts = { keys, storeEnv: embedded.env, ports, extra };
    const engines = numbered('orchestrator', options.replicas?.orchestrator ?? 1).map(async (name) => ({
      name,
      port: await embedded.dataDir.port(name),
    }));
    await fleet.start(platformProcesses(facts, await Promise.all(engines)));
    await Promise.all(workerTypes.map((type) => startWorkerType(type, { fleet, facts, embedded, options })));
    const feUrl = `http://127.0.0.1:${ports.fe}`;
    tellAccess(embedded.dataDir.path, { url: feUrl, adminKey: keys.admin });
    return {
      feUrl,
      beUrl: `http://127.0.0.1:${ports.be}`,
      adminKey: keys.admin,
      embedded,
      processes: fleet.handles(),
      stop: () => fleet.stop(),
    };
  } catch (error) {
    await fleet.stop();
    throw error;
  }
}

/**
 * Tells programs of the same user, as the command line, where this system answers and by which key. The file stays when
 * the system stops: a program then knows what to look for, and finds that nobody answers.
 */
function tellAccess(dataDir: string, access: { url: string; adminKey: string }): void {
  const file = join(dataDir, 'access.json');
  // A file that exists keeps its mode when it is written again.
  rmSync(file, { force: true });
  writeFileSync(file, `${JSON.stringify(access, null, 2)}\n`, { mode: 0o600 });
}

async function startWorkerType(
  workerType: string,
  { fleet, facts, embedded, options }: { fleet: Fleet; facts: SystemFacts; embedded: Embedded; options: SystemOptions },
): Promise<void> {
  const url = await ensureDatabase(embedded.env['DATABASE_URL'] ?? '', workerDatabaseName(workerType));
  await migrateDeploy(url, join(repository, 'prisma/worker/migrations'));
  const folder = join(embedded.dataDir.path, 'workers', workerType);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const secrets = facts.keys.worker(workerType);
  const { serviceAccountKey } = secrets;
  const beUrl = `http://127.0.0.1:${facts.ports.be}`;
  const legacy =
    options.legacySamples && workerType === 'cu'
      ? legacySamples({ repository, folder, beUrl, serviceAccountKey })
      : undefined;
  const specs = workerProcesses(legacy ? { ...facts, extra: { ...legacy.env, ...facts.extra } } : facts, {
    secrets,
    apiPort: await embedded.dataDir.port(`${workerType}-api`),
    databaseUrl: url,
    runners: options.replicas?.runner ?? 1,
    slots: options.slots ?? 4,
    folder,
    entries: options.entries?.[workerType] ?? `workers/${workerType}/src`,
  });
  await fleet.start([...specs, ...(legacy?.programs ?? [])]);
}

async function gatewayPorts(embedded: Embedded, fixed: SystemOptions['ports']): Promise<{ fe: number; be: number }> {
  const { dataDir } = embedded;
  if (!fixed) return { fe: await dataDir.port('fe-api'), be: await dataDir.port('be-api') };
  for (const [variable, port] of [['CONNECTA_FE_PORT', fixed.fe] as const, ['CONNECTA_BE_PORT', fixed.be] as const]) {
    if ((await choosePort(port)) !== port) throw new Error(`port ${port} is in use: set ${variable} to another one`);
  }
  return fixed;
}

/** The processes of one system, started in the order they are given and stopped users first. */
class Fleet {
  readonly #embedded: Embedded;
  readonly #log: ProcessLog;
  readonly #common: Readonly<Record<string, string>>;
  readonly #processes = new Map<string, SupervisedProcess>();

  constructor(embedded: Embedded, options: { log: ProcessLog; common: Readonly<Record<string, string>> }) {
    this.#embedded = embedded;
    this.#log = options.log;
    this.#common = options.common;
  }

  async start(specs: readonly ProcessSpec[]): Promise<void> {
    const processes = specs.map((spec) => this.#plan(spec));
    for (const process of processes) this.#processes.set(process.name, process);
    const outcomes = await Promise.allSettled(processes.map((process) => process.start()));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  handles(): ReadonlyMap<string, ProcessHandle> {
    return new Map([...this.#processes].map(([name, process]) => [name, handleOf(process)]));
  }

  async stop(): Promise<void> {
    const processes = [...this.#processes.values()];
    // Workers report what they finish, and leave, at be-api; the engine takes their last events.
    const last = processes.filter(({ name }) => name === 'be-api' || name.startsWith('orchestrator'));
    const first = processes.filter((process) => !last.includes(process));
    await Promise.all(first.map((process) => process.stop()));
    await Promise.all(last.map((process) => process.stop()));
    await this.#embedded.stop();
  }

  #plan({ name, entry, env, readyUrl }: ProcessSpec): SupervisedProcess {
    const { dataDir } = this.#embedded;
    return new SupervisedProcess({
      name,
      command: process.execPath,
      args: [join(repository, entry)],
      env: { ...this.#common, ...env },
      cwd: dirname(dirname(join(repository, entry))),
      logFile: dataDir.logFile(name),
      pidFile: dataDir.pidFile(name),
      watchesParent: true,
      readyTimeoutMs,
      ready: () => (readyUrl === undefined ? Promise.resolve(true) : answers(readyUrl)),
      stopSignals: ['SIGTERM'],
      graceMs: 10_000,
      log: this.#log,
    });
  }
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}

function handleOf(process: SupervisedProcess): ProcessHandle {
  return {
    get pid() {
      return process.pid;
    },
    kill: (signal) => process.kill(signal),
    untilUp: (timeoutMs) => process.untilUp(timeoutMs),
    halt: () => process.stop(),
    restart: () => process.restart(),
  };
}
