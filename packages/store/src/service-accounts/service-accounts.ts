import { newId } from '@connecta/contracts';
import { NameTakenError } from '../clients/clients.ts';
import { createOnce, isUniqueViolation, type IdempotentCreate } from '../idempotency/create-once.ts';
import type { Store } from '../store.ts';

export type BlobAccessKind = 'gateway' | 'direct';

/** A service account as an administrator sees it. */
export interface ManagedServiceAccount {
  id: string;
  name: string;
  workerType: string;
  allowedClients: string[];
  blobAccess: BlobAccessKind;
  /** Whether its orders, and the results of its type, may name files of legacy shares. */
  mayNameFiles: boolean;
  createdAt: Date;
  lastUsedAt: Date | null;
}

const SHOWN = {
  ...{ id: true, name: true, workerType: true, allowedClients: true },
  ...{ blobAccess: true, mayNameFiles: true, createdAt: true, lastUsedAt: true },
} as const;

/** Accounts that are not revoked, newest first. */
export async function listServiceAccounts(
  store: Store,
  page: { before: string | undefined; limit: number },
): Promise<ManagedServiceAccount[]> {
  const rows = await store.prisma.serviceAccount.findMany({
    where: { revokedAt: null, ...(page.before === undefined ? {} : { id: { lt: page.before } }) },
    select: SHOWN,
    orderBy: { id: 'desc' },
    take: page.limit,
  });
  return rows.map(toAccount);
}

export async function findManagedServiceAccount(store: Store, id: string): Promise<ManagedServiceAccount | null> {
  const row = await store.prisma.serviceAccount.findFirst({ where: { id, revokedAt: null }, select: SHOWN });
  return row && toAccount(row);
}

/** A revoked account gives its name free. @throws NameTakenError, IdempotencyMismatchError, IdempotencyGoneError */
export async function createServiceAccount(
  store: Store,
  account: Omit<ManagedServiceAccount, 'id' | 'createdAt' | 'lastUsedAt'> & { hash: string },
  idempotency?: IdempotentCreate,
): Promise<{ account: ManagedServiceAccount; repeated: boolean }> {
  try {
    const { made, repeated } = await createOnce(store, idempotency, {
      create: async (tx) =>
        toAccount(await tx.serviceAccount.create({ data: { id: newId(), ...account }, select: SHOWN })),
      idOf: ({ id }) => id,
      find: (id) => findManagedServiceAccount(store, id),
    });
    return { account: made, repeated };
  } catch (error) {
    throw isUniqueViolation(error) ? new NameTakenError(account.name, { cause: error }) : error;
  }
}

/** Null when there is no such account. */
export async function updateServiceAccount(
  store: Store,
  id: string,
  change: {
    [member in 'allowedClients' | 'blobAccess' | 'mayNameFiles']?: ManagedServiceAccount[member] | undefined;
  },
): Promise<ManagedServiceAccount | null> {
  const { allowedClients, blobAccess, mayNameFiles } = change;
  await store.prisma.serviceAccount.updateMany({
    where: { id, revokedAt: null },
    data: {
      ...(allowedClients ? { allowedClients } : {}),
      ...(blobAccess ? { blobAccess } : {}),
      ...(mayNameFiles === undefined ? {} : { mayNameFiles }),
    },
  });
  return findManagedServiceAccount(store, id);
}

/** False when there is no such account, or it was revoked before. The name is free again. */
export async function revokeServiceAccount(store: Store, id: string): Promise<boolean> {
  const { rowCount } = await store.pool.query(
    `UPDATE service_accounts SET revoked_at = now(), name = name || ' ' || id WHERE id = $1 AND revoked_at IS NULL`,
    [id],
  );
  return rowCount === 1;
}

function toAccount(row: Omit<ManagedServiceAccount, 'blobAccess'> & { blobAccess: string }): ManagedServiceAccount {
  return { ...row, blobAccess: row.blobAccess as BlobAccessKind };
}
