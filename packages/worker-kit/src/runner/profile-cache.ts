import { setTimeout as sleep } from 'node:timers/promises';
import type { ProfileId } from '@connecta/contracts';
import type { Catalogue } from '../function/catalogue.ts';
import { FunctionError } from '../function/function-error.ts';
import { redactorOf } from '../logs/redact.ts';
import type { ProfileStore, StoredRevision } from '../profiles/profile-store.ts';
import { findRevision } from '../profiles/read-profiles.ts';
import type { SecretVault } from '../profiles/secret-vault.ts';
import { unsealSettings } from '../profiles/settings.ts';
import type { LoadedProfile, ProfileSource } from './ports.ts';

const MAX_PROFILES = 1_000;
const LOAD_TRIES = 4;

/**
 * Profile revisions out of the type's database, each read, unsealed, checked and filled with defaults once: a revision
 * never changes. The least recently used ones are forgotten.
 */
export class ProfileCache implements ProfileSource {
  readonly #store: ProfileStore;
  readonly #catalogue: Catalogue;
  readonly #vault: SecretVault;
  /** In the order of last use. */
  readonly #loaded = new Map<string, LoadedProfile>();
  readonly #loading = new Map<string, Promise<LoadedProfile>>();

  constructor(options: { store: ProfileStore; catalogue: Catalogue; vault: SecretVault }) {
    this.#store = options.store;
    this.#catalogue = options.catalogue;
    this.#vault = options.vault;
  }

  peek(profileId: ProfileId, revision: number): LoadedProfile | undefined {
    const key = `${profileId}@${revision}`;
    const profile = this.#loaded.get(key);
    // Below the limit nothing is forgotten, so the order need not be kept.
    if (profile && this.#loaded.size >= MAX_PROFILES) {
      this.#loaded.delete(key);
      this.#loaded.set(key, profile);
    }
    return profile;
  }

  load(profileId: ProfileId, revision: number): Promise<LoadedProfile> {
    const key = `${profileId}@${revision}`;
    let loading = this.#loading.get(key);
    if (!loading) {
      loading = this.#read(profileId, revision)
        .then((profile) => this.#keep(key, profile))
        .finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  #keep(key: string, profile: LoadedProfile): LoadedProfile {
    this.#loaded.set(key, profile);
    for (const oldest of this.#loaded.keys()) {
      if (this.#loaded.size <= MAX_PROFILES) break;
      this.#loaded.delete(oldest);
    }
    return profile;
  }

  async #read(profileId: ProfileId, revision: number): Promise<LoadedProfile> {
    const stored = await this.#find(profileId, revision);
    if (!stored)
      throw new FunctionError('permanent', 'unknown_profile', `there is no profile ${profileId} at ${revision}`);
    const entry = this.#catalogue.get(stored.function);
    if (!entry)
      throw new FunctionError('permanent', 'unknown_function', `this worker has no function ${stored.function}`);
    const settings = this.#unseal(stored);
    const faults = entry.settings.faults(settings);
    if (faults.length > 0) {
      const told = faults.map((fault) => `${fault.path || '/'} ${fault.message}`).join('; ');
      throw new FunctionError('permanent', 'invalid_settings', `the profile does not fit ${stored.function}: ${told}`);
    }
    entry.fillSettingDefaults(settings);
    return { entry, settings: deepFreeze(settings), redact: redactorOf(entry.definition.settingsSchema, settings) };
  }

  #unseal(stored: StoredRevision): LoadedProfile['settings'] {
    try {
      return unsealSettings(stored, stored.profileId, this.#vault);
    } catch (cause) {
      // The operator can give the key back, so the work is not lost for good.
      throw new FunctionError('retryable', 'secrets_unavailable', 'secrets of the profile cannot be opened', { cause });
    }
  }

  async #find(profileId: ProfileId, revision: number): Promise<StoredRevision | null> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await findRevision(this.#store, { profileId, revision });
      } catch (cause) {
        if (attempt === LOAD_TRIES)
          throw new FunctionError('retryable', 'profiles_unavailable', 'the profile database does not answer', {
            cause,
          });
        await sleep(250 * 2 ** attempt);
      }
    }
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
