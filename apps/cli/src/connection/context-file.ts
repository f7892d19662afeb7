import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { CliError, EXIT, UsageError } from '../failures.ts';

/** One installation as a person named it. */
export interface Context {
  url: string;
  key?: string;
  /** The environment variable that holds the key, for keys that no file should hold. */
  keyVariable?: string;
  /** Whose orders they are when the command line does not say. */
  client?: string;
}

/** The installations that a person works with. */
export interface ContextFile {
  current?: string;
  contexts: Record<string, Context>;
}

/** Where contexts are kept. */
export function contextFilePath(env: Readonly<Record<string, string | undefined>>): string {
  const base = env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? '', '.config');
  return join(base, 'connecta', 'config.yaml');
}

/** The contexts of a file; none when there is no file. @throws CliError when it cannot be understood. */
export function readContexts(path: string): ContextFile {
  if (!existsSync(path)) return { contexts: {} };
  let read: unknown;
  try {
    read = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CliError(EXIT.usage, `${path} is no YAML: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
  if (!isObject(read) || !isObject(read['contexts'] ?? {})) throw shapeError(path);
  const contexts = (read['contexts'] ?? {}) as Record<string, unknown>;
  for (const [name, context] of Object.entries(contexts)) {
    if (!isObject(context) || typeof context['url'] !== 'string') throw shapeError(path, name);
  }
  const current = read['current'];
  return {
    ...(typeof current === 'string' ? { current } : {}),
    contexts: contexts as Record<string, Context>,
  };
}

/** Replaces the file as a whole, for its owner alone. */
export function writeContexts(path: string, file: ContextFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, stringify(file), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** True when others than its owner may read a file that holds keys. */
export function isOpenToOthers(path: string): boolean {
  return process.platform !== 'win32' && existsSync(path) && (statSync(path).mode & 0o077) !== 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shapeError(path: string, context?: string): UsageError {
  const place = context === undefined ? '' : ` (the context '${context}')`;
  return new UsageError(`${path} is not as expected${place}.`, [
    'It looks like: {current: local, contexts: {local: {url: http://127.0.0.1:4000, key: ck_…}}}',
  ]);
}
