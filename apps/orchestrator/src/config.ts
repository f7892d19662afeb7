import { hostname } from 'node:os';
import { configFields, processConfig, processConfigFields, readConfig, type ProcessConfig } from '@connecta/runtime';
import { DEFAULT_TIMERS, type Timers } from '@connecta/domain';
import { z } from 'zod';

const schema = z
  .object({
    ...processConfigFields,
    DATABASE_URL: configFields.postgresUrl(),
    QUEUE_BACKEND: z.enum(['redis', 'postgres'], 'expected redis or postgres').default('redis'),
    REDIS_URL: configFields.redisUrl().optional(),
    QUEUE_DATABASE_URL: configFields.postgresUrl().optional(),
    QUEUE_PREFIX: configFields.text().default('connecta'),
    BLOB_CONNECTION_STRING: configFields.text(),
    BLOB_CONTAINER: configFields.text().default('connecta'),
    RETENTION_INTERVAL_MS: configFields.count(600_000, 1000),
    CONNECTA_LEASE_KEY: configFields.key(32),
    CONNECTA_HOLD_MS: configFields.count(DEFAULT_TIMERS.holdMs, 1000),
    CONNECTA_RECONCILE_MS: configFields.count(5000, 100),
    ORCHESTRATOR_PORT: configFields.port(0),
    ORCHESTRATOR_HOST: configFields.text().default('127.0.0.1'),
    ORCHESTRATOR_NAME: configFields.text().default(`${hostname()}-${process.pid}`),
  })
  .superRefine((env, context) => {
    const needed = env.QUEUE_BACKEND === 'redis' ? 'REDIS_URL' : 'QUEUE_DATABASE_URL';
    if (env[needed] === undefined) {
      context.addIssue({ code: 'custom', path: [needed], message: `needed with QUEUE_BACKEND=${env.QUEUE_BACKEND}` });
    }
  });

export interface OrchestratorConfig extends ProcessConfig {
  databaseUrl: string;
  queue: { kind: 'redis' | 'postgres'; url: string; prefix: string };
  blobs: { connectionString: string; container: string };
  /** How often expired blobs are looked for. */
  retentionIntervalMs: number;
  leaseKey: string;
  timers: Timers;
  reconcileMs: number;
  /** For `/live`, `/ready` and `/metrics`; 0: any free port. */
  port: number;
  host: string;
  /** Unique among the replicas. */
  name: string;
}

/** @throws ConfigError naming every fault at once. */
export function readOrchestratorConfig(env: Readonly<Record<string, string | undefined>>): OrchestratorConfig {
  const read = readConfig(schema, env);
  return {
    ...processConfig(read),
    databaseUrl: read.DATABASE_URL,
    queue: {
      kind: read.QUEUE_BACKEND,
      url: (read.QUEUE_BACKEND === 'redis' ? read.REDIS_URL : read.QUEUE_DATABASE_URL) ?? '',
      prefix: read.QUEUE_PREFIX,
    },
    blobs: { connectionString: read.BLOB_CONNECTION_STRING, container: read.BLOB_CONTAINER },
    retentionIntervalMs: read.RETENTION_INTERVAL_MS,
    leaseKey: read.CONNECTA_LEASE_KEY,
    timers: { ...DEFAULT_TIMERS, holdMs: read.CONNECTA_HOLD_MS },
    reconcileMs: read.CONNECTA_RECONCILE_MS,
    port: read.ORCHESTRATOR_PORT,
    host: read.ORCHESTRATOR_HOST,
    name: read.ORCHESTRATOR_NAME,
  };
}
