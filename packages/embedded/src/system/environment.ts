import type { DataDir } from '../data-dir.ts';

/** The worker types that come with the repository, each a folder below `workers/`. */
export const bundledWorkerTypes = ['generic', 'big-function', 'cu'] as const;

/** What one worker type's processes need; no type knows another's. */
export interface WorkerSecrets {
  readonly workerType: string;
  readonly serviceAccountKey: string;
  readonly profileEncryptionKey: string;
}

/** The secrets of one system, made at first use and kept in its data directory. */
export interface SystemKeys {
  readonly admin: string;
  readonly lease: string;
  readonly gateway: string;
  readonly webhook: string;
  worker(workerType: string): WorkerSecrets;
}

/** Keys of a data directory; `adminKey` replaces the generated one. */
export function systemKeys(dataDir: DataDir, adminKey: string | undefined): SystemKeys {
  return {
    admin: adminKey || `ck_${dataDir.secret('admin-key', 32)}`,
    lease: dataDir.secret('lease-key', 32),
    gateway: dataDir.secret('gateway-key', 32),
    webhook: dataDir.secret('webhook-key', 32),
    worker: (workerType) => ({
      workerType,
      serviceAccountKey: `sk_${dataDir.secret(`service-account-${workerType}`, 32)}`,
      profileEncryptionKey: dataDir.secret(`profile-key-${workerType}`, 32),
    }),
  };
}

/** The name of a worker type's own database. */
export const workerDatabaseName = (workerType: string): string => `worker_${workerType.replaceAll('-', '_')}`;

// Nothing else of the launcher's environment reaches a process: its secrets and databases are not theirs.
const passedOn = /^(PATH|HOME|TMPDIR|LANG|LC_\w+|TZ|LOG_LEVEL|NODE_\w+|OTEL_\w+|HTTPS?_PROXY|NO_PROXY)$/i;

/** The part of an environment that every process may see. */
export function commonEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(env).filter((entry): entry is [string, string] => {
    const [name, value] = entry;
    return value !== undefined && passedOn.test(name);
  });
  return {
    ...Object.fromEntries(entries),
    // The launcher holds the other end of standard input, so a process ends even when the launcher is killed.
    CONNECTA_PARENT_WATCH: 'stdin',
    STOP_TIMEOUT_MS: '8000',
  };
}

/** Which program a process is, what it must know and how it shows that it is ready. */
export interface ProcessSpec {
  readonly name: string;
  /** The entry file, relative to the repository. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly readyUrl?: string;
}

/** What the processes of one system share. */
export interface SystemFacts {
  readonly keys: SystemKeys;
  readonly storeEnv: Readonly<Record<string, string>>;
  readonly ports: { readonly fe: number; readonly be: number };
  readonly extra: Readonly<Record<string, string>>;
}

const local = (port: number): string => `http://127.0.0.1:${port}`;

/** The gateways, and the engine's replicas by name and port. */
export function platformProcesses(
  facts: SystemFacts,
  orchestrators: readonly { name: string; port: number }[],
): readonly ProcessSpec[] {
  const { keys, storeEnv, ports, extra } = facts;
  const shared = {
    ...storeEnv,
    CONNECTA_LEASE_KEY: keys.lease,
    CONNECTA_GATEWAY_KEY: keys.gateway,
    CONNECTA_WEBHOOK_KEY: keys.webhook,
    // What is tried out on one machine calls that machine.
    WEBHOOK_URL_ALLOW: '127.0.0.1,localhost',
    ...extra,
  };
  const fe = { CONNECTA_FE_PORT: String(ports.fe), CONNECTA_ADMIN_KEY: keys.admin };
  return [
    {
      name: 'fe-api',
      entry: 'apps/fe-api/src/main.ts',
      env: { ...shared, ...fe },
      readyUrl: `${local(ports.fe)}/ready`,
    },
    {
      name: 'be-api',
      entry: 'apps/be-api/src/main.ts',
      env: { ...shared, CONNECTA_BE_PORT: String(ports.be) },
      readyUrl: `${local(ports.be)}/ready`,
    },
    ...orchestrators.map(({ name, port }) => ({
      name,
      entry: 'apps/orchestrator/src/main.ts',
      env: { ...shared, ORCHESTRATOR_PORT: String(port) },
      readyUrl: `${local(port)}/ready`,
    })),
  ];
}

/** One worker type's API and `runners` runner processes. */
export function workerProcesses(
  facts: SystemFacts,
  worker: {
    secrets: WorkerSecrets;
    apiPort: number;
    databaseUrl: string;
    runners: number;
    slots: number;
    folder: string;
    /** Where `api.ts` and `runner.ts` are, relative to the repository. */
    entries: string;
  },
): readonly ProcessSpec[] {
  const { secrets, apiPort, databaseUrl, entries } = worker;
  const env = {
    BE_API_URL: local(facts.ports.be),
    SERVICE_ACCOUNT_KEY: secrets.serviceAccountKey,
    WORKER_DATABASE_URL: databaseUrl,
    WORKER_API_PORT: String(apiPort),
    WORKER_API_URL: local(apiPort),
    WORKER_DATA_DIR: worker.folder,
    PROFILE_ENCRYPTION_KEY: secrets.profileEncryptionKey,
    CONNECTA_GATEWAY_KEY: facts.keys.gateway,
    SLOTS: String(worker.slots),
    ...facts.extra,
  };
  const api = {
    name: `${secrets.workerType}-api`,
    entry: `${entries}/api.ts`,
    env,
    readyUrl: `${local(apiPort)}/ready`,
  };
  const runner = (name: string): ProcessSpec => ({ name, entry: `${entries}/runner.ts`, env });
  return [api, ...numbered(`${secrets.workerType}-runner`, worker.runners).map(runner)];
}

/** `name`, `name-2`, `name-3` … */
export function numbered(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? name : `${name}-${index + 1}`));
}
