import { startSystem } from '@connecta/embedded';
import type { ProcessLog } from '@connecta/embedded';
import { seedServiceAccounts } from '@connecta/store';
import type { ProcessGroups } from '../measure/processes.ts';
import { makeTasks } from './profiles.ts';

/** Jobs that the one runner works on at once. */
const slots = 50;

/** Connecta while it runs: each process once, on embedded stores of its own. */
export interface RunningConnecta {
  readonly url: string;
  readonly key: string;
  readonly tasks: readonly string[];
  groups(): ProcessGroups;
  stop(): Promise<void>;
}

/** Starts every process of Connecta with the generic worker; throws where there is no Redis, which the figures are for. */
export async function startConnecta(options: {
  dataDir: string;
  searchPath: string;
  log: ProcessLog;
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
      ...(profileDir === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDir}` }),
    },
    seedServiceAccounts,
    log: options.log,
    workerTypes: ['generic'],
    slots,
  });
  try {
    const { feUrl: url, adminKey: key } = system;
    const tasks = await makeTasks({ url, key });
    return { url, key, tasks, groups: () => groupsOf(system), stop: () => system.stop() };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

function groupsOf({ processes, embedded }: Awaited<ReturnType<typeof startSystem>>): ProcessGroups {
  const named = [...Object.entries(embedded.services), ...processes];
  return Object.fromEntries(named.map(([name, { pid }]) => [name, pid === undefined ? [] : [pid]]));
}
