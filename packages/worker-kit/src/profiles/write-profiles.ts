import { Problem, type ProfileId } from '@connecta/contracts';
import { Prisma } from '../generated/prisma/client.ts';
import type { ProfileStore, StoredProfile } from './profile-store.ts';
import { toProfile } from './read-profiles.ts';
import type { StoredSettings } from './settings.ts';

const IDEMPOTENCY_MS = 24 * 60 * 60 * 1000;

/** What a write sets. */
export interface ProfileContent extends StoredSettings {
  name: string;
  function: string;
}

/**
 * Inserts a profile at revision 1. Under a key that was used within 24 hours for the same body, what that led to is
 * returned instead, as it is now (or was, when it has been deleted since).
 *
 * @throws Problem name_taken, idempotency_mismatch.
 */
export async function insertProfile(
  store: ProfileStore,
  profile: ProfileContent & { id: ProfileId },
  repeat?: { key: string; bodyHash: string; now: Date },
): Promise<StoredProfile> {
  const { id, settings, secrets } = profile;
  const content = { name: profile.name, function: profile.function, settings, secrets };
  try {
    return await store.prisma.$transaction(async (tx) => {
      if (repeat) {
        const { key, bodyHash, now } = repeat;
        await tx.idempotencyKey.deleteMany({ where: { createdAt: { lt: new Date(now.getTime() - IDEMPOTENCY_MS) } } });
        await tx.idempotencyKey.create({ data: { key, bodyHash, profileId: id, createdAt: now } });
      }
      const row = await tx.profile.create({ data: { id, ...content, revision: 1 } });
      await tx.profileRevision.create({ data: { profileId: id, revision: 1, ...content } });
      return toProfile(row);
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const earlier = repeat && (await findRepeat(store, repeat));
    if (earlier) return earlier;
    throw nameTaken(profile.name);
  }
}

async function findRepeat(
  store: ProfileStore,
  repeat: { key: string; bodyHash: string },
): Promise<StoredProfile | null> {
  const used = await store.prisma.idempotencyKey.findUnique({ where: { key: repeat.key } });
  if (!used) return null;
  if (used.bodyHash !== repeat.bodyHash)
    throw new Problem('idempotency_mismatch', 'this Idempotency-Key was used with another body');
  const row = await store.prisma.profile.findUnique({ where: { id: used.profileId } });
  return row && toProfile(row);
}

/**
 * Writes the next revision of a profile.
 *
 * @throws Problem precondition_failed when the profile is no longer live at `expectedRevision`, name_taken.
 */
export async function updateProfile(
  store: ProfileStore,
  options: { id: ProfileId; expectedRevision: number; content: ProfileContent },
): Promise<StoredProfile> {
  const { id, expectedRevision } = options;
  const { settings, secrets, name } = options.content;
  const content = { name, function: options.content.function, settings, secrets };
  const revision = expectedRevision + 1;
  try {
    return await store.prisma.$transaction(async (tx) => {
      const [row] = await tx.profile.updateManyAndReturn({
        where: { id, revision: expectedRevision, deletedAt: null },
        data: { ...content, revision },
      });
      if (!row) throw changedMeanwhile();
      await tx.profileRevision.create({ data: { profileId: id, revision, ...content } });
      return toProfile(row);
    });
  } catch (error) {
    throw isUniqueViolation(error) ? nameTaken(name) : error;
  }
}

/**
 * Marks a profile deleted; its name is free again, its revisions stay. The deletion has a revision of its own, so that
 * whoever hears of changes in another order knows which is the last.
 *
 * @throws Problem precondition_failed when the profile is no longer live at `expectedRevision`.
 */
export async function removeProfile(
  store: ProfileStore,
  options: { id: ProfileId; expectedRevision: number; now: Date },
): Promise<StoredProfile> {
  const { id, expectedRevision, now } = options;
  const [row] = await store.prisma.profile.updateManyAndReturn({
    where: { id, revision: expectedRevision, deletedAt: null },
    data: { deletedAt: now, revision: expectedRevision + 1 },
  });
  if (!row) throw changedMeanwhile();
  return toProfile(row);
}

/** True when a profile of this name is live or ever was. */
export async function nameWasUsed(store: ProfileStore, name: string): Promise<boolean> {
  return (await store.prisma.profile.count({ where: { name } })) > 0;
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

const nameTaken = (name: string): Problem =>
  new Problem('name_taken', `a profile named "${name}" exists`, { faults: [{ path: '/name', message: 'is taken' }] });

const changedMeanwhile = (): Problem => new Problem('precondition_failed', 'the profile was changed meanwhile');
