import { pino, type DestinationStream } from 'pino';
import type { LogLevel } from '../config/config-fields.ts';

type Write = (fields: object, message: string) => void;

/** A scoped logger: ids travel as fields, the message is a constant sentence. `err` holds an Error. */
export interface Logger {
  readonly trace: Write;
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
  /** True when a line of this level would be written: guards costly fields. */
  isLevelEnabled(level: LogLevel): boolean;
  child(fields: object): Logger;
}

/** Field names whose values are never written, at the top of a line and one level down. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'lease',
  'key',
  'apiKey',
  'api_key',
  'serviceAccountKey',
  'privateKey',
  'connectionString',
  'databaseUrl',
  'redisUrl',
];

/** What a command of Redis carried: ioredis leaves the command on the error of each that was refused, AUTH included. */
const COMMAND = 'err.command.args';

/**
 * A logger of JSON lines on standard output (or `destination`), each with `name`, an ISO time and the level's name.
 * Secrets in well-known fields become `[redacted]`.
 */
export function createLogger(options: { name: string; level?: LogLevel; destination?: DestinationStream }): Logger {
  const settings = {
    name: options.name,
    level: options.level ?? 'info',
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: [...SECRET_FIELDS, ...SECRET_FIELDS.map((field) => `*.${field}`), COMMAND], censor: '[redacted]' },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

/** A logger that writes nothing, for tests. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
