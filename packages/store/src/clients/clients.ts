import { newId, type ClientId } from '@connecta/contracts';
import type { Prisma } from '../generated/prisma/client.ts';
import { createOnce, isUniqueViolation, type IdempotentCreate } from '../idempotency/create-once.ts';
import type { Store } from '../store.ts';

/** Who sends orders, with its contract. */
export interface Client {
  id: ClientId;
  name: string;
  workflow: string | null;
  retentionDays: number;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
}

export interface ClientContent {
  name: string;
  workflow: string | null;
  retentionDays: number;
}

/** Thrown when a name belongs to another. */
export class NameTakenError extends Error {
  override readonly name = 'NameTakenError';
  readonly taken: string;

  constructor(taken: string, options?: ErrorOptions) {
    super(`the name ${taken} is taken`, options);
    this.taken = taken;
  }
}

/** Thrown when something cannot go because others refer to it. */
export class InUseError extends Error {
  override readonly name = 'InUseError';
  /** What refers to it. */
  readonly by: string;

  constructor(by: string) {
    super(`${by} refer to it`);
    this.by = by;
  }
}

/** Clients by name, from behind a name on. */
export async function listClients(store: Store, page: { after: string | undefined; limit: number }): Promise<Client[]> {
  const rows = await store.prisma.client.findMany({
    ...(page.after === undefined ? {} : { where: { name: { gt: page.after } } }),
    orderBy: { name: 'asc' },
    take: page.limit,
  });
  return rows.map(toClient);
}

export async function findClient(store: Store, id: ClientId): Promise<Client | null> {
  const row = await store.prisma.client.findUnique({ where: { id } });
  return row && toClient(row);
}

/** @throws NameTakenError; IdempotencyMismatchError */
export async function createClient(
  store: Store,
  content: ClientContent,
  idempotency?: IdempotentCreate,
): Promise<{ client: Client; repeated: boolean }> {
  try {
    const { made, repeated } = await createOnce(store, idempotency, {
      create: async (tx) => toClient(await tx.client.create({ data: { id: newId(), ...content } })),
      idOf: (client) => client.id,
      find: (id) => findClient(store, id as ClientId),
    });
    return { client: made, repeated };
  } catch (error) {
    throw isUniqueViolation(error) ? new NameTakenError(content.name, { cause: error }) : error;
  }
}

/** Writes a client under its row lock; `check` throws when its revision is not the expected one. Null: there is none. */
export async function replaceClient(
  store: Store,
  change: { id: ClientId; content: ClientContent; check: (revision: number) => void },
): Promise<Client | null> {
  const { id, content, check } = change;
  try {
    return await store.prisma.$transaction(async (tx) => {
      const current = await lockClient(tx, id);
      if (!current) return null;
      check(current.revision);
      return toClient(await tx.client.update({ where: { id }, data: { ...content, revision: current.revision + 1 } }));
    });
  } catch (error) {
    throw isUniqueViolation(error) ? new NameTakenError(content.name, { cause: error }) : error;
  }
}

/** Deletes a client that nothing refers to; false: there is none. @throws InUseError */
export function deleteClient(
  store: Store,
  { id, check }: { id: ClientId; check: (revision: number) => void },
): Promise<boolean> {
  return store.prisma.$transaction(async (tx) => {
    const current = await lockClient(tx, id);
    if (!current) return false;
    check(current.revision);
    const users: [string, Promise<unknown>][] = [
      ['orders', tx.order.findFirst({ where: { clientId: id }, select: { id: true } })],
      ['blobs', tx.blob.findFirst({ where: { ownerClientId: id }, select: { id: true } })],
      ['API keys', tx.apiKey.findFirst({ where: { clientId: id, revokedAt: null }, select: { id: true } })],
      [
        'service accounts',
        tx.serviceAccount.findFirst({
          where: { allowedClients: { has: current.name }, revokedAt: null },
          select: { id: true },
        }),
      ],
    ];
    for (const [by, user] of users) if (await user) throw new InUseError(by);
    const schedules = await tx.$queryRaw<{ name: string }[]>`
      SELECT name FROM schedules WHERE coalesce("order"->>'client', 'default') IN (${id}, ${current.name})
      ORDER BY 1 LIMIT 5`;
    if (schedules.length > 0) throw new InUseError(`schedules (${schedules.map(({ name }) => name).join(', ')})`);
    await tx.apiKey.deleteMany({ where: { clientId: id } });
    await tx.client.delete({ where: { id } });
    return true;
  });
}

async function lockClient(tx: Prisma.TransactionClient, id: ClientId): Promise<Client | null> {
  await tx.$queryRaw`SELECT FROM clients WHERE id = ${id}::uuid FOR UPDATE`;
  const row = await tx.client.findUnique({ where: { id } });
  return row && toClient(row);
}

function toClient(row: Prisma.ClientGetPayload<object>): Client {
  const { id, name, workflow, retentionDays, revision, createdAt, updatedAt } = row;
  return { id: id as ClientId, name, workflow, retentionDays, revision, createdAt, updatedAt };
}
