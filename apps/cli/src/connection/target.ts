import { UsageError } from '../failures.ts';
import { contextFilePath, readContexts, type Context } from './context-file.ts';
import { findLocalSystem } from './local-system.ts';

/** Which installation is meant, and as whom. */
export interface Target {
  readonly url: string;
  readonly key: string | undefined;
  /** Where both were found, for people. */
  readonly source: string;
  /** Whose orders they are when the command line does not say. */
  readonly client: string | undefined;
}

/** What the command line says about the target. */
export interface TargetFlags {
  readonly url?: string | undefined;
  readonly key?: string | undefined;
  readonly context?: string | undefined;
}

/**
 * Finds the installation: flags, then CONNECTA_URL and CONNECTA_KEY, then the context that is named or current, then the
 * local system. A key that was found beside one address is never sent to another.
 *
 * @throws UsageError when a context is named that does not exist, or the address is none.
 */
export function findTarget(
  flags: TargetFlags,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Target | undefined {
  const found = [fromFlags(flags, env), fromContext(flags, env), fromLocal(env, cwd)];
  const target = found.find((candidate) => candidate?.url !== undefined);
  if (target?.url === undefined) return undefined;
  const { url } = target;
  checkUrl(url);
  const given = flags.key ?? (env['CONNECTA_KEY'] || undefined);
  const withKey = [target, ...found].find((candidate) => candidate?.key !== undefined && sameUrl(candidate.url, url));
  return {
    url,
    key: given ?? withKey?.key,
    source: target.source,
    client: env['CONNECTA_CLIENT'] || target.client,
  };
}

interface Candidate {
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly source: string;
  readonly client?: string | undefined;
}

function fromFlags(
  { url, context }: TargetFlags,
  env: Readonly<Record<string, string | undefined>>,
): Candidate | undefined {
  if (url !== undefined) return { url, key: undefined, source: '--url' };
  // A context that is named on the command line is meant more than what the shell happens to hold.
  if (context !== undefined || !env['CONNECTA_URL']) return undefined;
  return { url: env['CONNECTA_URL'], key: env['CONNECTA_KEY'], source: 'CONNECTA_URL' };
}

function fromContext(flags: TargetFlags, env: Readonly<Record<string, string | undefined>>): Candidate | undefined {
  const path = contextFilePath(env);
  const file = readContexts(path);
  const name = flags.context ?? (env['CONNECTA_CONTEXT'] || file.current);
  if (name === undefined) return undefined;
  const context = file.contexts[name];
  if (!context) {
    const known = Object.keys(file.contexts).join(', ') || 'none';
    throw new UsageError(`There is no context '${name}' in ${path} (there: ${known}).`);
  }
  return { url: context.url, key: keyOf(context, env), source: `context '${name}'`, client: context.client };
}

const keyOf = (context: Context, env: Readonly<Record<string, string | undefined>>): string | undefined =>
  context.key ?? (context.keyVariable === undefined ? undefined : env[context.keyVariable] || undefined);

function fromLocal(env: Readonly<Record<string, string | undefined>>, cwd: string): Candidate | undefined {
  const local = findLocalSystem(env, cwd);
  return local && { url: local.url, key: local.key, source: `local system in ${local.dataDir}` };
}

function checkUrl(text: string): void {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return;
  throw new UsageError(`'${text}' is no http or https address.`);
}

function sameUrl(a: string | undefined, b: string): boolean {
  return a !== undefined && URL.parse(a)?.href === URL.parse(b)?.href;
}
