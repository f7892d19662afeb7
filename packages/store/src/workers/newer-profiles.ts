import type { ToldProfile } from './registration.ts';

/** What the read copy knows of a profile. */
export interface KnownProfile {
  id: string;
  revision: number;
  deleted: boolean;
}

/**
 * The told profiles that are news: a higher revision, or the deletion of the known one (which has no revision of its
 * own). A deleted profile never comes back at the same revision, so tellings may arrive in any order.
 */
export function newerProfiles(told: readonly ToldProfile[], known: readonly KnownProfile[]): ToldProfile[] {
  const current = new Map<string, { revision: number; deleted: boolean }>(known.map((row) => [row.id, row]));
  const news = new Map<string, ToldProfile>();
  for (const profile of told) {
    const before = current.get(profile.id);
    const deleted = profile.deleted ?? false;
    const isNews =
      before === undefined ||
      profile.revision > before.revision ||
      (profile.revision === before.revision && deleted && !before.deleted);
    if (!isNews) continue;
    current.set(profile.id, { revision: profile.revision, deleted });
    news.set(profile.id, profile);
  }
  return [...news.values()];
}
