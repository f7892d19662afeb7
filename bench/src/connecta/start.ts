import { startSystem } from '@connecta/embedded';
import type { ProcessLog } from '@connecta/embedded';
import { seedServiceAccounts } from '@connecta/store';
import type { ProcessGroups } from '../measure/processes.ts';

/** Jobs that the one runner works on at once. */
const slots = 50;

/** Connecta while it runs: each process once, on embedded stores of its own. */
export interface RunningConnecta {
  readonly url: string;
  readonly key: string;
  readonly databaseUrl: string;
  groups(): ProcessGroups;
  stop(): Promise<void>;
}

/** Starts every process of Connecta with the generic worker; throws where there is no Redis, which the figures are for. */
export async function startConnecta(options: {
  dataDir: string;
  searchPath: string;
  log: ProcessLog;
  /** Stores that are there already, by their variables; the others are embedded. */
  given?: Readonly<Record<string, string>>;
  /** Where each Node process writes its CPU profile when it ends. */
  profileDir?: string | undefined;
}): Promise<RunningConnecta> {
  const { profileDir } = options;
  const system = await startSystem({
    dataDir: options.dataDir,
    env: {
      PATH: options.searchPath,
      QUEUE_BACKEND: 'redis',
      LOG_LEVEL: 'warn',
      ...options.given,
      ...(profileDir === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDir}` }),
    },
    seedServiceAccounts,
    log: options.log,
    workerTypes: ['generic'],
    slots,
  });
  const { feUrl: url, adminKey: key, embedded } = system;
  const databaseUrl = embedded.env['DATABASE_URL'] ?? '';
  return { url, key, databaseUrl, groups: () => groupsOf(system), stop: () => system.stop() };
}

function groupsOf({ processes, embedded }: Awaited<ReturnType<typeof startSystem>>): ProcessGroups {
  const named = [...Object.entries(embedded.services), ...processes];
  return Object.fromEntries(named.map(([name, { pid }]) => [name, pid === undefined ? [] : [pid]]));
}
