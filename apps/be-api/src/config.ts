import {
  configFields,
  processConfig,
  processConfigFields,
  readConfig,
  type ConfigFault,
  type ProcessConfig,
} from '@connecta/runtime';
import { z } from 'zod';

const schema = z.object({
  ...processConfigFields,
  DATABASE_URL: configFields.postgresUrl(),
  QUEUE_BACKEND: z.enum(['redis', 'postgres'], 'expected redis or postgres').default('redis'),
  REDIS_URL: configFields.redisUrl().optional(),
  QUEUE_DATABASE_URL: configFields.postgresUrl().optional(),
  QUEUE_PREFIX: configFields.text().default('connecta'),
  QUEUE_WORKER_URL: configFields.url().optional(),
  BLOB_CONNECTION_STRING: configFields.text(),
  BLOB_CONTAINER: configFields.text().default('connecta'),
  MAX_BLOB_BYTES: configFields.count(5_368_709_120),
  CONNECTA_LEASE_KEY: configFields.key(32),
  CONNECTA_BE_PORT: configFields.port(4100),
  CONNECTA_BE_HOST: configFields.text().default('127.0.0.1'),
  WORKER_URL_ALLOW: configFields.list(['127.0.0.1', 'localhost']),
  WORKER_HEARTBEAT_MS: configFields.count(5_000, 100),
  CORS_ORIGINS: configFields.list(),
});

/** The queue's address belongs to its backend. */
function queueRule(env: Readonly<Record<string, string | undefined>>): ConfigFault[] {
  const backend = env['QUEUE_BACKEND'] ?? 'redis';
  const variable = backend === 'redis' ? 'REDIS_URL' : 'QUEUE_DATABASE_URL';
  return env[variable] === undefined ? [{ variable, expected: `is needed with QUEUE_BACKEND=${backend}` }] : [];
}

export interface BeApiConfig extends ProcessConfig {
  databaseUrl: string;
  queue: { kind: 'redis' | 'postgres'; url: string; prefix: string };
  /** What every worker is told instead of credentials of its type's own: for a Redis whose accounts we may not make. */
  queueWorkerUrl: string | undefined;
  blobs: { connectionString: string; container: string };
  maxBlobBytes: number;
  leaseKey: string;
  host: string;
  port: number;
  /** Hosts (`name`, `name:port`, `*.domain`) that a worker's apiUrl may name. */
  workerUrlAllow: readonly string[];
  heartbeatMs: number;
  corsOrigins: readonly string[];
}

/** @throws ConfigError naming every fault at once. */
export function readBeApiConfig(env: Readonly<Record<string, string | undefined>>): BeApiConfig {
  const read = readConfig(schema, env, queueRule);
  return {
    ...processConfig(read),
    databaseUrl: read.DATABASE_URL,
    queue: {
      kind: read.QUEUE_BACKEND,
      url: (read.QUEUE_BACKEND === 'redis' ? read.REDIS_URL : read.QUEUE_DATABASE_URL) ?? '',
      prefix: read.QUEUE_PREFIX,
    },
    queueWorkerUrl: read.QUEUE_WORKER_URL,
    blobs: { connectionString: read.BLOB_CONNECTION_STRING, container: read.BLOB_CONTAINER },
    maxBlobBytes: read.MAX_BLOB_BYTES,
    leaseKey: read.CONNECTA_LEASE_KEY,
    host: read.CONNECTA_BE_HOST,
    port: read.CONNECTA_BE_PORT,
    workerUrlAllow: read.WORKER_URL_ALLOW,
    heartbeatMs: read.WORKER_HEARTBEAT_MS,
    corsOrigins: read.CORS_ORIGINS,
  };
}
