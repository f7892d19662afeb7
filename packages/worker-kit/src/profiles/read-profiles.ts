import type { ProfileId } from '@connecta/contracts';
import { storedOf, type ProfileStore, type StoredProfile, type StoredRevision } from './profile-store.ts';

/** The live profile of an id; null when there is none. */
export async function findProfile(store: ProfileStore, id: ProfileId): Promise<StoredProfile | null> {
  const row = await store.prisma.profile.findFirst({ where: { id, deletedAt: null } });
  return row && toProfile(row);
}

/** Live profiles, oldest first, after the id `after`. */
export async function listProfiles(
  store: ProfileStore,
  options: { limit: number; after?: string | undefined; name?: string | undefined; function?: string | undefined },
): Promise<StoredProfile[]> {
  const rows = await store.prisma.profile.findMany({
    where: {
      deletedAt: null,
      ...(options.after === undefined ? {} : { id: { gt: options.after } }),
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.function === undefined ? {} : { function: options.function }),
    },
    orderBy: { id: 'asc' },
    take: options.limit,
  });
  return rows.map(toProfile);
}

/** Every profile, deleted ones too. */
export async function listAllProfiles(store: ProfileStore): Promise<StoredProfile[]> {
  const rows = await store.prisma.profile.findMany({ orderBy: { id: 'asc' } });
  return rows.map(toProfile);
}

/** What a profile, also a deleted one, was at a revision; null when it never had it. */
export async function findRevision(
  store: ProfileStore,
  at: { profileId: ProfileId; revision: number },
): Promise<StoredRevision | null> {
  const row = await store.prisma.profileRevision.findUnique({ where: { profileId_revision: at } });
  return row && toRevision(row);
}

/** The revisions of a profile, newest first, below the revision `before`. */
export async function listRevisions(
  store: ProfileStore,
  options: { profileId: ProfileId; limit: number; before?: number | undefined },
): Promise<StoredRevision[]> {
  const rows = await store.prisma.profileRevision.findMany({
    where: {
      profileId: options.profileId,
      ...(options.before === undefined ? {} : { revision: { lt: options.before } }),
    },
    orderBy: { revision: 'desc' },
    take: options.limit,
  });
  return rows.map(toRevision);
}

interface ProfileRow {
  id: string;
  name: string;
  function: string;
  revision: number;
  settings: unknown;
  secrets: unknown;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
}

/** Maps a row of `profiles`. */
export function toProfile(row: ProfileRow): StoredProfile {
  const { name, revision, createdAt, updatedAt, deletedAt } = row;
  const content = { name, function: row.function, ...storedOf(row) };
  return { id: row.id as ProfileId, ...content, revision, createdAt, updatedAt, deletedAt };
}

function toRevision(row: Omit<ProfileRow, 'id' | 'updatedAt' | 'deletedAt'> & { profileId: string }): StoredRevision {
  const { name, revision, createdAt } = row;
  const content = { name, function: row.function, ...storedOf(row) };
  return { profileId: row.profileId as ProfileId, ...content, revision, createdAt };
}
