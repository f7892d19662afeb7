import { readdir, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { UsageError } from '../failures.ts';
import { readText } from '../orders/order-input.ts';

/** How closely results have to be alike. */
export interface Tolerance {
  /** The most that two numbers may differ. */
  readonly numbers: number;
  /** The most that two images may differ, as the mean difference of their samples from 0 to 1. */
  readonly images: number;
  /** JSON pointers of what is not compared, as `/result/at`. */
  readonly ignore: readonly string[];
}

/** How an order ended, with blobs by what they hold: the same for two runs of the same pipeline. */
export interface Outcome {
  readonly state: string;
  readonly result?: unknown;
  readonly error?: { readonly code: string };
}

/** One recorded input and what has to come out. */
export interface TestCase {
  readonly name: string;
  readonly folder: string;
  readonly input: { readonly value: unknown } | { readonly file: string } | undefined;
  readonly params: { [name: string]: unknown } | undefined;
  readonly expected: Outcome | undefined;
  readonly tolerance: Tolerance;
}

/** What is in a case's folder. */
export const CASE_FILES = {
  settings: 'case.yaml',
  params: 'params.json',
  expected: 'expected.json',
  blobs: 'expected',
};

/**
 * The cases of a folder: each a folder of its own with `input.json`, `input.yaml` or `input.<other>` (bytes), `params.json`,
 * `case.yaml` (`{numbers, images, ignore}`) and `expected.json`; all may be left out.
 */
export async function readCases(dir: string, cwd: string): Promise<TestCase[]> {
  const root = resolve(cwd, dir);
  const facts = await stat(root).catch(() => undefined);
  if (!facts?.isDirectory()) throw new UsageError(`${dir} is no folder.`);
  const entries = await readdir(root, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  if (names.length === 0) {
    throw new UsageError(`${dir} holds no cases.`, [
      'Each case is a folder in it with an input.json, or an input of any kind.',
    ]);
  }
  return Promise.all(names.sort().map((name) => readCase(name, join(root, name))));
}

async function readCase(name: string, folder: string): Promise<TestCase> {
  const files = await readdir(folder);
  const inputs = files.filter((file) => file.startsWith('input.'));
  if (inputs.length > 1) throw new UsageError(`The case '${name}' has several inputs: ${inputs.join(', ')}.`);
  const read = async (file: string): Promise<unknown> =>
    files.includes(file) ? parseText(await readText(join(folder, file), folder), `${name}/${file}`) : undefined;
  const [input] = inputs;
  const isValue = input !== undefined && ['.json', '.yaml', '.yml'].includes(extname(input));
  const settings = ((await read(CASE_FILES.settings)) ?? {}) as Partial<Tolerance>;
  const params = await read(CASE_FILES.params);
  const expected = await read(CASE_FILES.expected);
  return {
    ...{ name, folder },
    input: input === undefined ? undefined : isValue ? { value: await read(input) } : { file: join(folder, input) },
    params: params as TestCase['params'],
    expected: expected as Outcome | undefined,
    tolerance: { numbers: settings.numbers ?? 0, images: settings.images ?? 0, ignore: settings.ignore ?? [] },
  };
}

function parseText(text: string, place: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`${place} is neither JSON nor YAML: ${(error as Error).message.split('\n')[0] ?? ''}`);
  }
}
