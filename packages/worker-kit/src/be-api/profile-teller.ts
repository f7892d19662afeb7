import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BeApiOperations } from '@connecta/contracts';
import type { Logger } from '@connecta/runtime';
import type { Catalogue } from '../function/catalogue.ts';
import type { StoredProfile } from '../profiles/profile-store.ts';
import { dataOf, type BeApi } from './client.ts';

/** A profile as be-api keeps it: without its settings. */
export type ProfileCopy =
  BeApiOperations['tellProfiles']['requestBody']['content']['application/json']['profiles'][number];

/** What be-api is told of a profile. */
export function profileCopy(profile: StoredProfile, catalogue: Catalogue): ProfileCopy {
  const { id, name, revision, deletedAt } = profile;
  const schema = catalogue.get(profile.function)?.definition.settingsSchema;
  const schemaHash = schema === undefined ? '' : createHash('sha256').update(JSON.stringify(schema)).digest('hex');
  return { id, name, function: profile.function, revision, schemaHash, deleted: deletedAt !== null };
}

/**
 * Tells be-api every change of a profile until it knows it. Changes of one profile replace each other; what is untold
 * when the process ends is made up for by the full list of the next registration.
 */
export class ProfileTeller {
  readonly #type: string;
  readonly #beApi: BeApi;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #untold = new Map<string, ProfileCopy>();
  #telling: Promise<void> | undefined;

  constructor(options: { type: string; beApi: BeApi; log: Logger }) {
    this.#type = options.type;
    this.#beApi = options.beApi;
    this.#log = options.log;
  }

  /** Changes that be-api does not know yet. */
  get untold(): number {
    return this.#untold.size;
  }

  tell(profile: ProfileCopy): void {
    const waiting = this.#untold.get(profile.id);
    if (waiting && waiting.revision > profile.revision) return;
    this.#untold.set(profile.id, profile);
    this.#telling ??= this.#tellAll().finally(() => (this.#telling = undefined));
  }

  /** Tries once more to tell what is left, then ends. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#telling;
  }

  async #tellAll(): Promise<void> {
    for (let failures = 0; this.#untold.size > 0;) {
      const profiles = [...this.#untold.values()];
      try {
        await this.#send(profiles);
        for (const told of profiles) if (this.#untold.get(told.id) === told) this.#untold.delete(told.id);
        failures = 0;
      } catch (err) {
        if (this.#stop.signal.aborted) return;
        if (failures++ === 0) this.#log.warn({ err }, 'be-api was not told of a profile; trying until it is');
        const waitMs = Math.min(10_000, 250 * 2 ** Math.min(failures, 10));
        await sleep(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  async #send(profiles: ProfileCopy[]): Promise<void> {
    const params = { path: { type: this.#type } };
    const signal = AbortSignal.timeout(5_000);
    await dataOf(this.#beApi.calls.PUT('/v1/worker-types/{type}/profiles', { params, body: { profiles }, signal }));
  }
}
