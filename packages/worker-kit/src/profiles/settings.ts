import { isDeeperThan, type Fault, type JsonValue } from '@connecta/contracts';
import type { CatalogueEntry } from '../function/catalogue.ts';
import { putAt, removeAt, valueAt, type Settings } from './pointers.ts';
import { secretPlaces } from './secret-places.ts';
import type { SecretVault } from './secret-vault.ts';

/** What is shown in the place of a secret, and means "as it was" in a write. */
export const KEPT_SECRET = '__kept__';

/** Settings as the database holds them: no secret in `settings`, each sealed under its JSON pointer in `secrets`. */
export interface StoredSettings {
  settings: Settings;
  secrets: { [pointer: string]: string };
}

/** Settings that a write would lead to: whole and in clear, or every fault. */
export type SettingsOutcome = { faults: Fault[] } | { plain: Settings };

/**
 * What a write means: secrets that it leaves out, or sends as {@link KEPT_SECRET}, keep the value that `stored` has;
 * `null` takes a secret away. Then everything is checked against the function's schema.
 */
export function mergeSettings(options: {
  entry: CatalogueEntry;
  incoming: Settings;
  /** The profile's settings in clear, when it has some for this function. */
  stored?: Settings;
}): SettingsOutcome {
  const { entry, stored } = options;
  if (isDeeperThan(options.incoming)) return { faults: [{ path: '/settings', message: 'is nested too deeply' }] };
  const schema = entry.definition.settingsSchema;
  const plain = structuredClone(options.incoming);
  const faults: Fault[] = [];
  for (const pointer of secretPlaces(schema, plain)) {
    const value = valueAt(plain, pointer);
    const kept = stored === undefined ? undefined : valueAt(stored, pointer);
    if (value === null) removeAt(plain, pointer);
    else if (value === KEPT_SECRET && kept !== undefined) putAt(plain, pointer, kept);
    else if (value === KEPT_SECRET) faults.push({ path: pointer, message: 'has no stored value to keep' });
  }
  if (stored !== undefined)
    for (const pointer of secretPlaces(schema, stored))
      if (valueAt(options.incoming, pointer) === undefined) putAt(plain, pointer, valueAt(stored, pointer) ?? null);
  faults.push(...entry.settings.faults(plain));
  return faults.length > 0 ? { faults: faults.map((f) => ({ ...f, path: `/settings${f.path}` })) } : { plain };
}

/** Takes the secrets out and seals them. */
export function sealSettings(options: {
  entry: CatalogueEntry;
  plain: Settings;
  profileId: string;
  vault: SecretVault;
}): StoredSettings {
  const settings = structuredClone(options.plain);
  const secrets: StoredSettings['secrets'] = {};
  for (const pointer of secretPlaces(options.entry.definition.settingsSchema, options.plain)) {
    const value = valueAt(options.plain, pointer) as JsonValue;
    secrets[pointer] = options.vault.seal(value, options.profileId + pointer);
    removeAt(settings, pointer);
  }
  return { settings, secrets };
}

/** Stored settings in clear, for the function alone. */
export function unsealSettings(stored: StoredSettings, profileId: string, vault: SecretVault): Settings {
  const plain = structuredClone(stored.settings);
  for (const [pointer, sealed] of Object.entries(stored.secrets))
    putAt(plain, pointer, vault.open(sealed, profileId + pointer));
  return plain;
}

/** Stored settings for people: every secret shown as {@link KEPT_SECRET}. */
export function showSettings(stored: StoredSettings): Settings {
  const shown = structuredClone(stored.settings);
  for (const pointer of Object.keys(stored.secrets)) putAt(shown, pointer, KEPT_SECRET);
  return shown;
}
