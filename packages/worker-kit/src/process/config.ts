import { configFields, processConfig, processConfigFields, readConfig, type ProcessConfig } from '@connecta/runtime';
import { z } from 'zod';

type Environment = Readonly<Record<string, string | undefined>>;

/** What both processes of a worker type know. */
export interface WorkerConfig extends ProcessConfig {
  beApiUrl: string;
  serviceAccountKey: string;
  databaseUrl: string;
  /** 32 bytes, base64url: seals the secrets in profiles. */
  profileEncryptionKey: string;
  /** Keys that sealed secrets earlier and still open them. */
  formerEncryptionKeys: string[];
  /** A folder for the process's own files; undefined when it was given none. */
  dataDir: string | undefined;
}

/** The configuration of a worker type's API. */
export interface WorkerApiConfig extends WorkerConfig {
  port: number;
  host: string;
  /** Where gateways reach this API; by default where it listens. */
  publicUrl: string | undefined;
  gatewayKey: string;
  /** Answers that the document does not declare become a 500: for tests. */
  responseValidation: boolean;
}

/** The configuration of a runner. */
export interface RunnerConfig extends WorkerConfig {
  slots: number;
  /** For a type that is trusted with Blob Storage itself: blobs are read past be-api. */
  directBlobs: { connectionString: string; container: string } | undefined;
}

const common = {
  ...processConfigFields,
  BE_API_URL: configFields.url(),
  SERVICE_ACCOUNT_KEY: configFields.text(),
  WORKER_DATABASE_URL: configFields.postgresUrl(),
  PROFILE_ENCRYPTION_KEY: configFields.key(32, 32),
  PROFILE_ENCRYPTION_FORMER_KEYS: configFields.list(),
  WORKER_DATA_DIR: configFields.text().optional(),
};
const apiSchema = z.object({
  ...common,
  WORKER_API_PORT: configFields.port(),
  WORKER_API_HOST: configFields.text().default('127.0.0.1'),
  WORKER_API_URL: configFields.url().optional(),
  CONNECTA_GATEWAY_KEY: configFields.text(),
  RESPONSE_VALIDATION: configFields.flag(false),
});
const runnerSchema = z.object({
  ...common,
  SLOTS: configFields.count(4),
  BLOB_CONNECTION_STRING: configFields.text().optional(),
  BLOB_CONTAINER: configFields.text().default('connecta'),
});

/** @throws ConfigError naming every fault. */
export function readWorkerApiConfig(env: Environment): WorkerApiConfig {
  const read = readConfig(apiSchema, env);
  return {
    ...commonOf(read),
    port: read.WORKER_API_PORT,
    host: read.WORKER_API_HOST,
    publicUrl: read.WORKER_API_URL,
    gatewayKey: read.CONNECTA_GATEWAY_KEY,
    responseValidation: read.RESPONSE_VALIDATION,
  };
}

/** @throws ConfigError naming every fault. */
export function readRunnerConfig(env: Environment): RunnerConfig {
  const read = readConfig(runnerSchema, env);
  const { BLOB_CONNECTION_STRING: connectionString, BLOB_CONTAINER: container } = read;
  const directBlobs = connectionString === undefined ? undefined : { connectionString, container };
  return { ...commonOf(read), slots: read.SLOTS, directBlobs };
}

function commonOf(read: z.output<z.ZodObject<typeof common>>): WorkerConfig {
  return {
    ...processConfig(read),
    beApiUrl: read.BE_API_URL,
    serviceAccountKey: read.SERVICE_ACCOUNT_KEY,
    databaseUrl: read.WORKER_DATABASE_URL,
    profileEncryptionKey: read.PROFILE_ENCRYPTION_KEY,
    formerEncryptionKeys: read.PROFILE_ENCRYPTION_FORMER_KEYS,
    dataDir: read.WORKER_DATA_DIR,
  };
}
