import { hostname } from 'node:os';
import { configFields, processConfig, processConfigFields, readConfig, type ProcessConfig } from '@connecta/runtime';
import { DEFAULT_RETRY, DEFAULT_TIMERS, type RetryPolicy, type Timers } from '@connecta/domain';
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
    CONNECTA_WEBHOOK_KEY: configFields.key(32),
    WEBHOOK_URL_ALLOW: configFields.list(),
    WEBHOOK_TIMEOUT_MS: configFields.count(15_000, 100),
    SMTP_URL: configFields.smtpUrl().optional(),
    MAIL_FROM: configFields.text().default('Connecta <connecta@localhost>'),
    NOTICE_QUIET_MS: configFields.count(600_000, 0),
    CONNECTA_HOLD_MS: configFields.count(DEFAULT_TIMERS.holdMs, 1000),
    CONNECTA_POISON_CRASHES: configFields.count(DEFAULT_RETRY.maxCrashed),
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
  notify: {
    webhookKey: string;
    /** Hosts that webhooks may lead to although they are in the private network. */
    hosts: readonly string[];
    timeoutMs: number;
    smtp: { url: string; from: string } | undefined;
    /** The same news is told once in so long. */
    quietMs: number;
  };
  timers: Timers;
  retry: RetryPolicy;
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
    notify: {
      webhookKey: read.CONNECTA_WEBHOOK_KEY,
      hosts: read.WEBHOOK_URL_ALLOW,
      timeoutMs: read.WEBHOOK_TIMEOUT_MS,
      smtp: read.SMTP_URL === undefined ? undefined : { url: read.SMTP_URL, from: read.MAIL_FROM },
      quietMs: read.NOTICE_QUIET_MS,
    },
    timers: { ...DEFAULT_TIMERS, holdMs: read.CONNECTA_HOLD_MS },
    retry: { ...DEFAULT_RETRY, maxCrashed: read.CONNECTA_POISON_CRASHES },
    reconcileMs: read.CONNECTA_RECONCILE_MS,
    port: read.ORCHESTRATOR_PORT,
    host: read.ORCHESTRATOR_HOST,
    name: read.ORCHESTRATOR_NAME,
  };
}
