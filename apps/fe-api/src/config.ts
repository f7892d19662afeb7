import {
  configFields,
  processConfig,
  processConfigFields,
  readConfig,
  type OidcOptions,
  type ProcessConfig,
} from '@connecta/runtime';
import { z } from 'zod';

const DAY_MS = 86_400_000;

const schema = z.object({
  ...processConfigFields,
  DATABASE_URL: configFields.postgresUrl(),
  BLOB_CONNECTION_STRING: configFields.text(),
  BLOB_CONTAINER: configFields.text().default('connecta'),
  MAX_BLOB_BYTES: configFields.count(5_368_709_120),
  UPLOAD_TTL_MS: configFields.count(DAY_MS, 1000),
  CONNECTA_FE_PORT: configFields.port(4000),
  CONNECTA_FE_HOST: configFields.text().default('127.0.0.1'),
  CONNECTA_ADMIN_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{16,200}$/, 'expected 16 to 200 visible characters')
    .optional(),
  CONNECTA_GATEWAY_KEY: configFields.text(),
  CONNECTA_WEBHOOK_KEY: configFields.key(32),
  WORKER_URL_ALLOW: configFields.list(['127.0.0.1', 'localhost']),
  WORKER_API_TIMEOUT_MS: configFields.count(10_000, 100),
  CORS_ORIGINS: configFields.list(),
  OIDC_ISSUER: configFields.url().optional(),
  OIDC_AUDIENCE: configFields.text().default('connecta'),
  OIDC_JWKS_URL: configFields.url().optional(),
  OIDC_ROLES_CLAIM: configFields.text().optional(),
  OIDC_CLIENT_CLAIM: configFields.text().optional(),
});

export interface FeApiConfig extends ProcessConfig {
  databaseUrl: string;
  blobs: { connectionString: string; container: string };
  maxBlobBytes: number;
  /** How long a resumable upload may rest. */
  uploadTtlMs: number;
  host: string;
  port: number;
  /** The first admin key: asserted at the start. */
  adminKey: string | undefined;
  /** fe-api's own credential at the worker types' APIs. */
  gatewayKey: string;
  /** The secrets of webhooks are derived from it. */
  webhookKey: string;
  /** Hosts (`name`, `name:port`, `*.domain`) that may be called as a worker type's API. */
  workerUrlAllow: readonly string[];
  workerApiTimeoutMs: number;
  corsOrigins: readonly string[];
  oidc: OidcOptions | undefined;
}

/** @throws ConfigError naming every fault at once. */
export function readFeApiConfig(env: Readonly<Record<string, string | undefined>>): FeApiConfig {
  const read = readConfig(schema, env);
  return {
    ...processConfig(read),
    databaseUrl: read.DATABASE_URL,
    blobs: { connectionString: read.BLOB_CONNECTION_STRING, container: read.BLOB_CONTAINER },
    maxBlobBytes: read.MAX_BLOB_BYTES,
    uploadTtlMs: read.UPLOAD_TTL_MS,
    host: read.CONNECTA_FE_HOST,
    port: read.CONNECTA_FE_PORT,
    adminKey: read.CONNECTA_ADMIN_KEY,
    gatewayKey: read.CONNECTA_GATEWAY_KEY,
    webhookKey: read.CONNECTA_WEBHOOK_KEY,
    workerUrlAllow: read.WORKER_URL_ALLOW,
    workerApiTimeoutMs: read.WORKER_API_TIMEOUT_MS,
    corsOrigins: read.CORS_ORIGINS,
    oidc: oidcOf(read),
  };
}

function oidcOf(read: z.output<typeof schema>): OidcOptions | undefined {
  if (read.OIDC_ISSUER === undefined) return undefined;
  return {
    issuer: read.OIDC_ISSUER,
    audience: read.OIDC_AUDIENCE,
    ...(read.OIDC_JWKS_URL === undefined ? {} : { jwksUrl: read.OIDC_JWKS_URL }),
    ...(read.OIDC_ROLES_CLAIM === undefined ? {} : { rolesClaim: read.OIDC_ROLES_CLAIM }),
    ...(read.OIDC_CLIENT_CLAIM === undefined ? {} : { clientClaim: read.OIDC_CLIENT_CLAIM }),
  };
}
