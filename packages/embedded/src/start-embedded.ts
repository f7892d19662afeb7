import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { startBlobs } from './blobs/server.ts';
import { openDataDir } from './data-dir.ts';
import type { DataDir } from './data-dir.ts';
import { ensureDatabase } from './postgres/databases.ts';
import { startPostgres } from './postgres/server.ts';
import { findRedis, startRedis } from './redis/server.ts';
import { endLeftOver } from './left-overs.ts';
import type { ProcessHandle, ProcessLog, SupervisedProcess } from './supervised-process.ts';

/** What the environment may already provide; whatever is set here is not embedded. */
export interface GivenEnvironment {
  readonly PATH?: string | undefined;
  readonly DATABASE_URL?: string | undefined;
  readonly REDIS_URL?: string | undefined;
  readonly QUEUE_BACKEND?: string | undefined;
  readonly QUEUE_DATABASE_URL?: string | undefined;
  readonly BLOB_CONNECTION_STRING?: string | undefined;
}

/** One embedded server, for those who want to break it: supervision brings it back on the same port. */
export interface EmbeddedService extends ProcessHandle {
  readonly url: string;
  /** Ends it and starts it again, without its data if `empty` (not for Postgres). */
  restart(options?: { empty?: boolean }): Promise<void>;
}

/** What was started; `env` holds the variables that every process of the system reads. */
export interface Embedded {
  readonly env: Readonly<Record<string, string>>;
  readonly services: {
    readonly postgres?: EmbeddedService;
    readonly redis?: EmbeddedService;
    readonly blobs?: EmbeddedService;
  };
  readonly dataDir: DataDir;
  /** Ends all of it and gives the data directory up; a second call does nothing. */
  stop(): Promise<void>;
}

type Started = { readonly process: SupervisedProcess; readonly url: string; readonly empty?: () => void };

/**
 * Starts what the environment does not already provide: Postgres, Redis (or the Postgres queue where no Redis is
 * found), Blob Storage. Throws {@link DataDirInUseError} when another stack runs on the directory.
 */
export async function startEmbedded(options: {
  dataDir: string;
  env: GivenEnvironment;
  log?: ProcessLog;
  /** Forget the queue and the blobs of earlier runs (databases stay). */
  empty?: boolean;
}): Promise<Embedded> {
  const { env, log = () => undefined, empty = false } = options;
  const dataDir = openDataDir(options.dataDir);
  const started: Started[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.splice(0).map(({ process }) => process.stop()));
    dataDir.release();
  };
  const keep = async <Server extends Started>(server: Promise<Server>): Promise<Server> => {
    const running = await server;
    started.push(running);
    return running;
  };
  const how = { searchPath: env.PATH ?? '', log, empty };
  const redisCommand = env.REDIS_URL || env.QUEUE_BACKEND === 'postgres' ? undefined : findRedis(how.searchPath);
  await endLeftOverProcesses(dataDir, {
    postgres: !env.DATABASE_URL,
    redis: redisCommand !== undefined,
    blobs: !env.BLOB_CONNECTION_STRING,
  });
  // Settled, not all: what still starts when another fails must be stopped as well.
  const [postgres, redis, blobs] = await Promise.allSettled([
    env.DATABASE_URL ? undefined : keep(startPostgres(dataDir, how)),
    redisCommand === undefined ? undefined : keep(startRedis(dataDir, { ...how, command: redisCommand })),
    env.BLOB_CONNECTION_STRING ? undefined : keep(startBlobs(dataDir, how)),
  ]);
  try {
    const servers = { postgres: valueOf(postgres), redis: valueOf(redis), blobs: valueOf(blobs) };
    const databaseUrl = env.DATABASE_URL ?? (await ensureDatabase(servers.postgres?.url ?? '', 'connecta'));
    return {
      env: {
        DATABASE_URL: databaseUrl,
        ...(await queueEnvironment(env, databaseUrl, servers.redis?.url)),
        BLOB_CONNECTION_STRING: env.BLOB_CONNECTION_STRING ?? servers.blobs?.url ?? '',
      },
      services: {
        ...(servers.postgres && { postgres: handleOf(servers.postgres) }),
        ...(servers.redis && { redis: handleOf(servers.redis) }),
        ...(servers.blobs && { blobs: handleOf(servers.blobs) }),
      },
      dataDir,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ends what an earlier run left, but for the servers that start now: each ends its own forerunner, after its users. */
async function endLeftOverProcesses(dataDir: DataDir, starting: Readonly<Record<string, boolean>>): Promise<void> {
  const names = readdirSync(join(dataDir.path, 'run')).filter((file) => file.endsWith('.json'));
  const others = names.map((file) => basename(file, '.json')).filter((name) => !starting[name]);
  const how = { signals: ['SIGTERM'], graceMs: 3_000 } as const;
  await Promise.all(others.map((name) => endLeftOver(dataDir.pidFile(name), how)));
}

async function queueEnvironment(
  env: GivenEnvironment,
  databaseUrl: string,
  embeddedRedisUrl: string | undefined,
): Promise<Record<string, string>> {
  const redisUrl = env.QUEUE_BACKEND === 'postgres' ? undefined : (env.REDIS_URL ?? embeddedRedisUrl);
  if (redisUrl) return { QUEUE_BACKEND: 'redis', REDIS_URL: redisUrl };
  if (env.QUEUE_BACKEND === 'redis')
    throw new Error('QUEUE_BACKEND is redis, but there is no REDIS_URL and no Redis here');
  // A database of its own: the queue's load and its schema stay out of the one that holds the truth.
  const url = env.QUEUE_DATABASE_URL ?? (await ensureDatabase(databaseUrl, 'connecta_queue'));
  return { QUEUE_BACKEND: 'postgres', QUEUE_DATABASE_URL: url };
}

function valueOf<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

function handleOf({ process, url, empty }: Started): EmbeddedService {
  return {
    get pid() {
      return process.pid;
    },
    url,
    kill: (signal) => process.kill(signal),
    untilUp: (timeoutMs) => process.untilUp(timeoutMs),
    halt: () => process.stop(),
    restart: async (options = {}) => {
      if (options.empty && !empty) throw new Error(`${process.name} does not start empty`);
      await process.restart(options.empty ? empty : undefined);
    },
  };
}
