import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LineCounter, parseAllDocuments, stringify } from 'yaml';
import type { Profile, ProfileWrite } from '../api/shapes.ts';
import { UsageError } from '../failures.ts';
import { readAll, readText } from '../orders/order-input.ts';
import type { Surroundings } from '../session.ts';
import { parseTask } from './task-name.ts';

/** A profile as a file declares it. */
export interface DeclaredProfile {
  readonly type: string;
  readonly write: ProfileWrite;
  /** Where it stands, for people. */
  readonly place: string;
}

/** The profiles of a YAML or JSON file (several documents or a list), of a folder of such, or of standard input (`-`). */
export async function readProfiles(path: string, around: Surroundings): Promise<DeclaredProfile[]> {
  if (path === '-') return profilesOf(await readAll(around.stdin), 'standard input');
  const whole = resolve(around.cwd, path);
  const facts = await stat(whole).catch(() => undefined);
  if (!facts) throw new UsageError(`${path} is not there.`);
  if (!facts.isDirectory()) return profilesOf(await readText(path, around.cwd), path);
  const names = (await readdir(whole)).filter((name) => /\.(?:ya?ml|json)$/.test(name)).sort();
  if (names.length === 0) throw new UsageError(`${path} holds no .yaml or .json file.`);
  const lists = await Promise.all(
    names.map(async (name) => profilesOf(await readText(join(path, name), around.cwd), join(path, name))),
  );
  return lists.flat();
}

function profilesOf(text: string, file: string): DeclaredProfile[] {
  const counter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: counter });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const place = `${file}:${counter.linePos(document.contents?.range?.[0] ?? 0).line}`;
    const [error] = document.errors;
    if (error) throw new UsageError(`${file}: ${error.message}`);
    const value = document.toJS() as unknown;
    if (value === null || value === undefined) return [];
    return (Array.isArray(value) ? (value as unknown[]) : [value]).map((entry) => declared(entry, place));
  });
}

function declared(value: unknown, place: string): DeclaredProfile {
  if (typeof value !== 'object' || value === null) throw shapeError(place);
  const { worker, task, name, function: fn, settings = {}, ...others } = value as Record<string, unknown>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw new UsageError(`${place}: a profile has no member '${unknown}'.`);
  if (typeof fn !== 'string' || typeof settings !== 'object' || settings === null) throw shapeError(place);
  const named = typeof task === 'string' ? parseTask(task) : { type: worker, name };
  if (typeof named.type !== 'string' || typeof named.name !== 'string') throw shapeError(place);
  return {
    type: named.type,
    write: { name: named.name, function: fn, settings: settings as ProfileWrite['settings'] },
    place,
  };
}

const shapeError = (place: string): UsageError =>
  new UsageError(`${place}: this is no profile.`, [
    'It looks like: {task: generic/add-2, function: math.add, settings: {operand: 2}}',
  ]);

/** A profile as a file: what {@link readProfiles} reads. */
export function profileYaml(type: string, profile: Pick<Profile, 'name' | 'function' | 'settings'>): string {
  const { name, function: fn, settings } = profile;
  return stringify({ task: `${type}/${name}`, function: fn, settings: sorted(settings) }, { lineWidth: 0 });
}

/** The same fields always in the same order: a comparison shows what differs, not who wrote it. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, sorted(field)]),
  );
}
