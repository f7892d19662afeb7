import type { Prisma } from '../generated/prisma/client.ts';
import type { Store } from '../store.ts';

/** An Idempotency-Key of a request that creates one thing. */
export interface IdempotentCreate {
  scope: string;
  key: string;
  bodyHash: string;
}

/** Thrown when a key stands for another body. */
export class IdempotencyMismatchError extends Error {
  override readonly name = 'IdempotencyMismatchError';
}

/** Thrown when what a key led to has been deleted since. */
export class IdempotencyGoneError extends Error {
  override readonly name = 'IdempotencyGoneError';
}

interface Creation<Made> {
  create(tx: Prisma.TransactionClient): Promise<Made>;
  idOf(made: Made): string;
  /** What an earlier request made; null when it is gone by now. */
  find(id: string): Promise<Made | null>;
}

const KEPT_MS = 24 * 3_600_000;

/**
 * Creates something in one transaction with its Idempotency-Key: a repeat brings what the first request made. Of two at
 * once the later one fails on a unique index and then finds the key.
 *
 * @throws IdempotencyMismatchError, IdempotencyGoneError, and what `create` throws.
 */
export async function createOnce<Made>(
  store: Store,
  idempotency: IdempotentCreate | undefined,
  creation: Creation<Made>,
): Promise<{ made: Made; repeated: boolean }> {
  if (!idempotency) {
    return { made: await store.prisma.$transaction((tx) => creation.create(tx)), repeated: false };
  }
  const earlier = await findEarlier(store, idempotency, creation);
  if (earlier) return { made: earlier, repeated: true };
  try {
    const made = await store.prisma.$transaction(async (tx) => {
      const created = await creation.create(tx);
      await tx.idempotencyKey.deleteMany({ where: { ...nameOf(idempotency), createdAt: { lt: oldest() } } });
      await tx.idempotencyKey.create({ data: { ...idempotency, answer: { id: creation.idOf(created) } } });
      return created;
    });
    return { made, repeated: false };
  } catch (error) {
    const made = isUniqueViolation(error) ? await findEarlier(store, idempotency, creation) : null;
    if (made) return { made, repeated: true };
    throw error;
  }
}

/** True for Prisma's error of a unique index. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'P2002';
}

async function findEarlier<Made>(
  store: Store,
  idempotency: IdempotentCreate,
  creation: Creation<Made>,
): Promise<Made | null> {
  const row = await store.prisma.idempotencyKey.findFirst({
    where: { ...nameOf(idempotency), createdAt: { gte: oldest() } },
  });
  if (!row) return null;
  if (row.bodyHash !== idempotency.bodyHash) throw new IdempotencyMismatchError();
  const made = await creation.find((row.answer as { id: string }).id);
  if (!made) throw new IdempotencyGoneError();
  return made;
}

function nameOf({ scope, key }: IdempotentCreate): { scope: string; key: string } {
  return { scope, key };
}

function oldest(): Date {
  return new Date(Date.now() - KEPT_MS);
}
