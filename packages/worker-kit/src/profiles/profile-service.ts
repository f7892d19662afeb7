import { isDeepStrictEqual } from 'node:util';
import { newId, Problem, type ProfileId } from '@connecta/contracts';
import type { Catalogue, CatalogueEntry } from '../function/catalogue.ts';
import type { Settings } from './pointers.ts';
import type { ProfileStore, StoredProfile } from './profile-store.ts';
import { findProfile } from './read-profiles.ts';
import type { SecretVault } from './secret-vault.ts';
import { mergeSettings, sealSettings, unsealSettings } from './settings.ts';
import { insertProfile, removeProfile, updateProfile } from './write-profiles.ts';

/** The body of a profile write. */
export interface ProfileWrite {
  name: string;
  function: string;
  settings: Settings;
}

/** The revision that a change is based on, from If-Match. */
export type ExpectedRevision = number | '*';

/** Creates, changes and deletes profiles: everything is checked against the functions, secrets are sealed. */
export class ProfileService {
  readonly #store: ProfileStore;
  readonly #catalogue: Catalogue;
  readonly #vault: SecretVault;

  constructor(options: { store: ProfileStore; catalogue: Catalogue; vault: SecretVault }) {
    this.#store = options.store;
    this.#catalogue = options.catalogue;
    this.#vault = options.vault;
  }

  /** @throws Problem invalid_settings, unknown_function, name_taken, idempotency_mismatch. */
  async create(write: ProfileWrite, idempotencyKey?: string): Promise<StoredProfile> {
    const entry = this.#entry(write.function);
    const plain = checked(mergeSettings({ entry, incoming: write.settings }));
    const id = newId<ProfileId>();
    const sealed = sealSettings({ entry, plain, profileId: id, vault: this.#vault });
    const repeat = idempotencyKey === undefined ? undefined : this.#repeat(idempotencyKey, write);
    return insertProfile(this.#store, { id, name: write.name, function: write.function, ...sealed }, repeat);
  }

  /**
   * Writes a new revision; content that is the same keeps its revision.
   *
   * @throws Problem not_found, precondition_failed, invalid_settings, unknown_function, name_taken.
   */
  async replace(id: ProfileId, expected: ExpectedRevision, write: ProfileWrite): Promise<StoredProfile> {
    const current = await this.#current(id, expected);
    const entry = this.#entry(write.function);
    const stored = this.#plainOf(current);
    // Secrets of one function mean nothing to another.
    const kept = current.function === write.function ? { stored } : {};
    const plain = checked(mergeSettings({ entry, incoming: write.settings, ...kept }));
    const same = current.name === write.name && current.function === write.function;
    if (same && isDeepStrictEqual(plain, stored)) return current;
    const sealed = sealSettings({ entry, plain, profileId: id, vault: this.#vault });
    const content = { name: write.name, function: write.function, ...sealed };
    return updateProfile(this.#store, { id, expectedRevision: current.revision, content });
  }

  /** @throws Problem not_found, precondition_failed. */
  async delete(id: ProfileId, expected: ExpectedRevision): Promise<StoredProfile> {
    const current = await this.#current(id, expected);
    return removeProfile(this.#store, { id, expectedRevision: current.revision, now: new Date() });
  }

  async #current(id: ProfileId, expected: ExpectedRevision): Promise<StoredProfile> {
    const current = await findProfile(this.#store, id);
    if (!current) throw new Problem('not_found', 'there is no such profile');
    if (expected !== '*' && expected !== current.revision)
      throw new Problem('precondition_failed', `the profile is at revision ${current.revision} by now`);
    return current;
  }

  #plainOf(profile: StoredProfile): Settings {
    return unsealSettings(profile, profile.id, this.#vault);
  }

  #entry(name: string): CatalogueEntry {
    const entry = this.#catalogue.get(name);
    if (entry) return entry;
    const known = [...this.#catalogue.keys()].join(', ');
    throw new Problem('unknown_function', `there is no function "${name}"; there are ${known}`, {
      faults: [{ path: '/function', message: 'is not a function of this worker type' }],
    });
  }

  #repeat(key: string, write: ProfileWrite): { key: string; bodyHash: string; now: Date } {
    const bodyHash = this.#vault.digest(JSON.stringify([write.name, write.function, write.settings]));
    return { key, bodyHash, now: new Date() };
  }
}

function checked(outcome: ReturnType<typeof mergeSettings>): Settings {
  if ('plain' in outcome) return outcome.plain;
  throw new Problem('invalid_settings', 'the settings do not fit the function', { faults: outcome.faults });
}
