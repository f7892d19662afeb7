import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { parse } from 'yaml';
import { UsageError } from '../failures.ts';
import type { Surroundings } from '../session.ts';

/** Larger texts are no values that somebody types: they are files. */
const MOST_STDIN_BYTES = 64 * 1024 * 1024;

/** A value of the command line: JSON, `@file` (JSON or YAML), or `-` for JSON on standard input. @throws UsageError */
export async function readValue(text: string, option: string, around: Surroundings): Promise<unknown> {
  if (text === '-') return parseJson(await readAll(around.stdin), `standard input (${option} -)`);
  if (!text.startsWith('@')) return parseJson(text, option);
  const path = text.slice(1);
  const content = await readText(path, around.cwd);
  if (!/^\.ya?ml$/.test(extname(path))) return parseJson(content, path);
  try {
    return parse(content) as unknown;
  } catch (error) {
    throw new UsageError(`${path} is no YAML: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
}

/** A text file that the command line names. @throws UsageError */
export async function readText(path: string, cwd: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, path), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(`${path} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}`);
  }
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const hint = /^[\w./ -]+$/.test(text)
      ? [`For a text, quote it twice: ${place} '"${text}"'; for a file: @${text} (JSON) or --file ${text} (bytes).`]
      : [];
    throw new UsageError(`${place} is no JSON: ${(error as Error).message}`, hint);
  }
}

/** Everything on standard input. @throws UsageError */
export async function readAll(stdin: Surroundings['stdin']): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > MOST_STDIN_BYTES) throw new UsageError('There is too much on standard input.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `name=value` pairs: a value that is JSON counts as JSON, any other as text. @throws UsageError */
export function readParams(pairs: readonly string[]): Record<string, unknown> | undefined {
  if (pairs.length === 0) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals <= 0) throw new UsageError(`--param takes name=value, not '${pair}'.`);
      return [pair.slice(0, equals), looseValue(pair.slice(equals + 1))];
    }),
  );
}

/** JSON when it is JSON, else the text itself. */
export function looseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** What to run, as an order says it: tasks have a slash, a workflow has none. @throws UsageError */
export function readTarget(text: string): { workflow: string } | { tasks: string[] } {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new UsageError(`'${text}' has an empty name in it.`);
  if (names.every((name) => name.includes('/'))) return { tasks: names };
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return { workflow: only };
  throw new UsageError(`'${text}' mixes tasks (type/name) with something else.`, [
    'Give one workflow, or a list of tasks: generic/add-2,generic/times-2',
  ]);
}
