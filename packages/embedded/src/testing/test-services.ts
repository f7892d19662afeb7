import { join } from 'node:path';
import { dropDatabase } from '../postgres/databases.ts';
import type { Embedded } from '../start-embedded.ts';
import { readTestConfig, shareServices } from './config.ts';
import type { SharedServices } from './config.ts';
import { createTestDatabase } from './template-database.ts';
import { startTestStack, uniqueTestName } from './test-stack.ts';

const repository = join(import.meta.dirname, '../../../..');

/** Real services for one test file. */
export interface TestServices {
  /** A fresh orchestrator database, migrated. */
  databaseUrl(name: string): Promise<string>;
  /** A fresh worker database, migrated. */
  workerDatabaseUrl(name?: string): Promise<string>;
  /** A fresh empty database, for the queue's Postgres backend. */
  queueDatabaseUrl(name?: string): Promise<string>;
  /** Undefined where this machine has no Redis (never in CI: there that is an error). */
  readonly redisUrl: string | undefined;
  /** Begins the Redis keys and queue names of this test file; no other file has the same. */
  readonly redisPrefix: string;
  /** The queue backends that can be tested here. */
  readonly queueBackends: readonly ('redis' | 'postgres')[];
  readonly blobConnectionString: string;
  /** Drops the databases made; ends the services if this file had to start them itself. */
  close(): Promise<void>;
}

/** Services of this test run: those that the run shares, or some of its own when there is no run around it. */
export async function testServices(): Promise<TestServices> {
  const { shared } = readTestConfig();
  const own = shared ? undefined : await startSharedServices();
  const services = shared ?? own?.services;
  if (!services) throw new Error('no test services');
  const serverUrl = services.databaseUrl;
  const made: string[] = [];
  const create = async (name: string, migrations?: string): Promise<string> => {
    const migrationsDir =
      migrations === undefined ? {} : { migrationsDir: join(repository, 'prisma', migrations, 'migrations') };
    const database = await createTestDatabase(serverUrl, { name, ...migrationsDir });
    made.push(database.name);
    return database.url;
  };
  return {
    databaseUrl: (name) => create(name, 'orchestrator'),
    workerDatabaseUrl: (name = 'worker') => create(name, 'worker'),
    queueDatabaseUrl: (name = 'queue') => create(name),
    redisUrl: services.redisUrl,
    redisPrefix: uniqueTestName('redis').replaceAll('_', '-'),
    queueBackends: services.redisUrl ? ['redis', 'postgres'] : ['postgres'],
    blobConnectionString: services.blobConnectionString,
    close: async () => {
      await Promise.all(made.splice(0).map((name) => dropDatabase(serverUrl, name)));
      await own?.stack.stop();
    },
  };
}

/** Starts services and tells the processes that this one will start, so that a whole test run has them in common. */
export async function shareTestServices(): Promise<{ stop(): Promise<void> }> {
  const { stack, services } = await startSharedServices();
  shareServices(services);
  return stack;
}

/** In CI a missing Redis is an error. */
async function startSharedServices(): Promise<{ stack: Embedded; services: SharedServices }> {
  const { given, redisRequired } = readTestConfig();
  const stack = await startTestStack(given);
  const { DATABASE_URL = '', REDIS_URL, BLOB_CONNECTION_STRING = '' } = stack.env;
  if (REDIS_URL === undefined) {
    if (redisRequired) {
      await stack.stop();
      throw new Error('CI needs Redis: install redis-server or valkey-server');
    }
    process.stderr.write('No Redis on this machine: the tests that need it are skipped.\n');
  }
  const services = { databaseUrl: DATABASE_URL, blobConnectionString: BLOB_CONNECTION_STRING };
  return { stack, services: REDIS_URL === undefined ? services : { ...services, redisUrl: REDIS_URL } };
}
