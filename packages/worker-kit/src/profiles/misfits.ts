import type { Fault, ProfileId } from '@connecta/contracts';
import type { Catalogue } from '../function/catalogue.ts';
import type { StoredProfile } from './profile-store.ts';
import type { SecretVault } from './secret-vault.ts';
import { unsealSettings } from './settings.ts';

/** A live profile whose settings do not fit its function as it is now. It is kept; its jobs fail with these faults. */
export interface Misfit {
  profileId: ProfileId;
  name: string;
  function: string;
  revision: number;
  errors: Fault[];
}

/** Checks profiles against the functions: a new version of a function may ask for other settings. */
export function findMisfits(options: {
  profiles: readonly StoredProfile[];
  catalogue: Catalogue;
  vault: SecretVault;
}): Misfit[] {
  return options.profiles.flatMap((profile) => {
    const errors = faultsOf(profile, options.catalogue, options.vault);
    const { id, name, revision } = profile;
    return errors.length === 0 ? [] : [{ profileId: id, name, function: profile.function, revision, errors }];
  });
}

function faultsOf(profile: StoredProfile, catalogue: Catalogue, vault: SecretVault): Fault[] {
  const entry = catalogue.get(profile.function);
  if (!entry) return [{ path: '/function', message: 'is no longer a function of this worker type' }];
  try {
    const faults = entry.settings.faults(unsealSettings(profile, profile.id, vault));
    return faults.map((fault) => ({ ...fault, path: `/settings${fault.path}` }));
  } catch (error) {
    return [{ path: '/settings', message: error instanceof Error ? error.message : 'secrets cannot be opened' }];
  }
}
