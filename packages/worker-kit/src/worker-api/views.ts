import type { WorkerApiOperations } from '@connecta/contracts';
import type { Misfit } from '../profiles/misfits.ts';
import type { StoredProfile, StoredRevision } from '../profiles/profile-store.ts';
import { showSettings } from '../profiles/settings.ts';
import type { WorkerFunction } from '../function/function.ts';

type Answer<Name extends keyof WorkerApiOperations> = WorkerApiOperations[Name] extends {
  responses: { 200: { content: { 'application/json': infer Body } } };
}
  ? Body
  : never;

/** A profile as people see it: no secret in it. */
export function showProfile(profile: StoredProfile): Answer<'getProfile'> {
  const { id, name, revision } = profile;
  return {
    id,
    name,
    function: profile.function,
    settings: showSettings(profile),
    revision,
    createdAt: profile.createdAt.toISOString(),
    updatedAt: profile.updatedAt.toISOString(),
  };
}

/** A revision as people see it. */
export function showRevision(stored: StoredRevision): Answer<'getProfileRevision'> {
  const { profileId, revision, name } = stored;
  const createdAt = stored.createdAt.toISOString();
  return { profileId, revision, name, function: stored.function, settings: showSettings(stored), createdAt };
}

/** A function with the profiles that no longer fit it. */
export function showFunction(
  definition: WorkerFunction,
  misfits: readonly Misfit[],
): Answer<'listFunctions'>['items'][number] {
  const { name, version, description, settingsSchema, inputSchema, outputSchema, cacheable } = definition;
  const { timers, retry, offline } = definition;
  return {
    name,
    version,
    ...(description === undefined ? {} : { description }),
    settingsSchema,
    inputSchema,
    outputSchema,
    cacheable: cacheable ?? false,
    ...(timers === undefined ? {} : { timers }),
    ...(retry === undefined ? {} : { retry }),
    ...(offline === undefined ? {} : { offline }),
    misfits: misfits.filter((misfit) => misfit.function === name).map(showMisfit),
  };
}

function showMisfit(misfit: Misfit): Answer<'listFunctions'>['items'][number]['misfits'][number] {
  const { profileId, name, revision } = misfit;
  const errors = misfit.errors.map(({ path, message, code }) => ({
    path,
    message,
    ...(code === undefined ? {} : { code }),
  }));
  return { profileId, name, revision, errors };
}
