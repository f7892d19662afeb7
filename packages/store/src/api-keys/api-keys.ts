import { newId, type ClientId } from '@connecta/contracts';
import type { Prisma } from '../generated/prisma/client.ts';
import { createOnce, type IdempotentCreate } from '../idempotency/create-once.ts';
import type { Store } from '../store.ts';

export type ApiRole = 'admin' | 'operator' | 'viewer' | 'client';

/** A key for fe-api without its secret. */
export interface ApiKey {
  id: string;
  name: string;
  role: ApiRole;
  clientId: ClientId | null;
  clientName: string | null;
  createdAt: Date;
  lastUsedAt: Date | null;
}

/** The key that the environment names has one row of its own: with another secret it is replaced. */
const FIRST_ADMIN_ID = '00000000-0000-7000-8000-000000000001';

/** Makes the first admin key exist with the secret of this hash; run again it changes nothing. */
export async function assertAdminKey(store: Store, hash: string): Promise<void> {
  await store.pool.query(
    `INSERT INTO api_keys (id, name, role, hash) VALUES ($1, 'admin', 'admin', $2)
     ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, revoked_at = NULL
       WHERE api_keys.hash <> excluded.hash OR api_keys.revoked_at IS NOT NULL`,
    [FIRST_ADMIN_ID, hash],
  );
}

/** The key with a secret of this hash that is not revoked; null when there is none. Notes its use, once a minute. */
export async function findApiKeyByHash(store: Store, hash: string): Promise<ApiKey | null> {
  const { rows } = await store.pool.query<ApiKey & { idle: boolean }>({
    name: 'find_api_key',
    text: `SELECT k.id, k.name, k.role, k.client_id AS "clientId", c.name AS "clientName", k.created_at AS "createdAt",
             k.last_used_at AS "lastUsedAt", coalesce(k.last_used_at < now() - interval '1 minute', true) AS idle
           FROM api_keys k LEFT JOIN clients c ON c.id = k.client_id WHERE k.hash = $1 AND k.revoked_at IS NULL`,
    values: [hash],
  });
  const [row] = rows;
  if (!row) return null;
  const { idle, ...key } = row;
  if (idle) {
    await store.pool.query({
      name: 'touch_api_key',
      text: 'UPDATE api_keys SET last_used_at = now() WHERE id = $1',
      values: [key.id],
    });
  }
  return key;
}

/** Keys that are not revoked, newest first. */
export async function listApiKeys(
  store: Store,
  page: { before: string | undefined; limit: number },
): Promise<ApiKey[]> {
  const rows = await store.prisma.apiKey.findMany({
    where: { revokedAt: null, ...(page.before === undefined ? {} : { id: { lt: page.before } }) },
    include: WITH_CLIENT,
    orderBy: { id: 'desc' },
    take: page.limit,
  });
  return rows.map(toApiKey);
}

export async function findApiKey(store: Store, id: string): Promise<ApiKey | null> {
  const row = await store.prisma.apiKey.findFirst({ where: { id, revokedAt: null }, include: WITH_CLIENT });
  return row && toApiKey(row);
}

/** @throws IdempotencyMismatchError, IdempotencyGoneError */
export async function createApiKey(
  store: Store,
  key: { name: string; role: ApiRole; clientId: ClientId | null; hash: string },
  idempotency?: IdempotentCreate,
): Promise<{ apiKey: ApiKey; repeated: boolean }> {
  const { made, repeated } = await createOnce(store, idempotency, {
    create: async (tx) => toApiKey(await tx.apiKey.create({ data: { id: newId(), ...key }, include: WITH_CLIENT })),
    idOf: ({ id }) => id,
    find: (id) => findApiKey(store, id),
  });
  return { apiKey: made, repeated };
}

/** False when there is no such key, or it was revoked before. */
export async function revokeApiKey(store: Store, id: string): Promise<boolean> {
  const { count } = await store.prisma.apiKey.updateMany({
    where: { id, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  return count === 1;
}

const WITH_CLIENT = { client: { select: { name: true } } } as const;

function toApiKey(row: Prisma.ApiKeyGetPayload<{ include: typeof WITH_CLIENT }>): ApiKey {
  const { id, name, createdAt, lastUsedAt } = row;
  return {
    ...{ id, name, createdAt, lastUsedAt },
    role: row.role as ApiRole,
    clientId: row.clientId as ClientId | null,
    clientName: row.client?.name ?? null,
  };
}
