import { z } from 'zod';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const base64urlBytes = (minimum: number, maximum = Number.MAX_SAFE_INTEGER) => {
  const expected = `expected ${minimum === maximum ? '' : 'at least '}${minimum} bytes, base64url encoded`;
  return z.string(expected).refine((text) => {
    const size = Buffer.from(text, 'base64url').length;
    return /^[\w-]+=*$/.test(text) && size >= minimum && size <= maximum;
  }, expected);
};

/**
 * Kinds of variables, to build a process's schema from. `port` takes 0 for "any free port"; `list` is comma-separated;
 * `flag` is `true|false|1|0|yes|no`; `key(min, max)` counts decoded bytes.
 */
export const configFields = {
  port: (fallback?: number) =>
    fallback === undefined
      ? z.coerce.number('expected a port').int().min(0).max(65_535)
      : z.coerce.number('expected a port').int().min(0).max(65_535).default(fallback),
  count: (fallback: number, minimum = 1) => z.coerce.number('expected a number').int().min(minimum).default(fallback),
  url: () => z.url('expected a URL'),
  postgresUrl: () => z.url({ protocol: /^postgres(?:ql)?$/, error: 'expected a URL that begins with postgresql://' }),
  redisUrl: () => z.url({ protocol: /^rediss?$/, error: 'expected a URL that begins with redis:// or rediss://' }),
  smtpUrl: () => z.url({ protocol: /^smtps?$/, error: 'expected a URL that begins with smtp:// or smtps://' }),
  text: () => z.string('expected text').trim().min(1),
  list: (fallback: readonly string[] = []) =>
    z
      .string()
      .transform((text) =>
        text
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== ''),
      )
      .default([...fallback]),
  flag: (fallback: boolean) => z.stringbool('expected true or false').default(fallback),
  key: base64urlBytes,
  logLevel: () => z.enum(LOG_LEVELS, `expected one of ${LOG_LEVELS.join(', ')}`).default('info'),
} as const;

/** Variables that every process knows: spread them into its schema, and {@link processConfig} its output. */
export const processConfigFields = {
  LOG_LEVEL: configFields.logLevel(),
  /** `stdin`: stop when standard input closes, so that a process never outlives the launcher that holds its other end. */
  CONNECTA_PARENT_WATCH: z.enum(['none', 'stdin'], 'expected none or stdin').default('none'),
  /** How long a stopping process may take to finish what it holds. */
  STOP_TIMEOUT_MS: configFields.count(25_000),
};

/** What {@link runProcess} needs to know of a process's configuration. */
export interface ProcessConfig {
  logLevel: LogLevel;
  parentWatch: 'none' | 'stdin';
  stopTimeoutMs: number;
}

/** Names the common variables as code does. */
export function processConfig(env: {
  LOG_LEVEL: LogLevel;
  CONNECTA_PARENT_WATCH: 'none' | 'stdin';
  STOP_TIMEOUT_MS: number;
}): ProcessConfig {
  return { logLevel: env.LOG_LEVEL, parentWatch: env.CONNECTA_PARENT_WATCH, stopTimeoutMs: env.STOP_TIMEOUT_MS };
}
