import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startEmbedded } from '@connecta/embedded';
import type { ProcessGroups } from '../measure/processes.ts';

/** The floor while it runs: a Redis and a worker process of its own. */
export interface RunningFloor {
  readonly redisUrl: string;
  groups(): ProcessGroups;
  stop(): Promise<void>;
}

// What is set is not embedded: of the three stores the floor has only Redis.
const nothingElse = { DATABASE_URL: 'none', BLOB_CONNECTION_STRING: 'none', QUEUE_BACKEND: 'redis' } as const;

/** Starts the floor on an empty Redis with the settings of Connecta's own; throws where there is no Redis. */
export async function startFloor(options: { dataDir: string; searchPath: string }): Promise<RunningFloor> {
  const embedded = await startEmbedded({
    dataDir: options.dataDir,
    env: { PATH: options.searchPath, ...nothingElse },
    empty: true,
  });
  const redisUrl = embedded.env['REDIS_URL'] ?? '';
  const worker = fork(join(import.meta.dirname, 'worker.ts'), {
    env: { PATH: options.searchPath, REDIS_URL: redisUrl },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const stop = async (): Promise<void> => {
    await end(worker);
    await embedded.stop();
  };
  try {
    await Promise.race([once(worker, 'message'), diedEarly(worker)]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    redisUrl,
    groups: () => ({ redis: [embedded.services.redis?.pid ?? 0], worker: [worker.pid ?? 0] }),
    stop,
  };
}

async function diedEarly(worker: ChildProcess): Promise<never> {
  const [code] = (await once(worker, 'exit')) as [number | null];
  throw new Error(`the floor's worker ended with ${code} before it was ready`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}
