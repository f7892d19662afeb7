import { parseTask } from './task-name.ts';
import type { Api } from '../api/api.ts';
import type { Profile } from '../api/shapes.ts';
import { CliError, EXIT } from '../failures.ts';

/** A profile with the worker type that owns it. */
export interface FoundProfile {
  readonly type: string;
  readonly profile: Profile;
  readonly etag: string;
}

/** The profile of a task (`type/name`; also `type/id`). @throws CliError when there is none. */
export async function findProfile(api: Api, task: string): Promise<FoundProfile> {
  const { type, name } = parseTask(task);
  const found = await findProfileIn(api, type, name);
  if (found) return found;
  throw new CliError(EXIT.notFound, `The worker type '${type}' has no profile '${name}'.`, [
    `see all: connecta profiles list ${type}`,
  ]);
}

/** {@link findProfile} without the error. */
export async function findProfileIn(api: Api, type: string, name: string): Promise<FoundProfile | undefined> {
  const id = /^[0-9a-f]{8}-/.test(name) ? name : await idOf(api, type, name);
  if (id === undefined) return undefined;
  const { data, etag } = await api.takeTagged(
    api.client.GET('/v1/workers/{type}/profiles/{id}', { params: { path: { type, id } } }),
  );
  return { type, profile: data, etag };
}

async function idOf(api: Api, type: string, name: string): Promise<string | undefined> {
  const { items } = await api.take(
    api.client.GET('/v1/workers/{type}/profiles', { params: { path: { type }, query: { name } } }),
  );
  return items[0]?.id;
}
