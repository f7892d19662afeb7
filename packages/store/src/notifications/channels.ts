import { newId } from '@connecta/contracts';
import { NameTakenError } from '../clients/clients.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { createOnce, isUniqueViolation, type IdempotentCreate } from '../idempotency/create-once.ts';
import type { Store } from '../store.ts';

export type ChannelKind = 'webhook' | 'mail';

/** Where a team is told of what happens to its tasks. */
export interface NotificationChannel {
  id: string;
  team: string;
  kind: ChannelKind;
  /** A URL, or a mail address. */
  target: string;
  /** Above 0: notices are collected so long and sent as one message. */
  digestMs: number;
  enabled: boolean;
  disabledReason: string | null;
  /** Which secret signs what is sent there: counts its rotations. */
  generation: number;
  revision: number;
  createdAt: Date;
  updatedAt: Date;
}

export type NotificationChannelContent = Pick<NotificationChannel, 'team' | 'kind' | 'target' | 'digestMs' | 'enabled'>;

/** Channels by id, from behind an id on; of one team alone where it is named. */
export async function listChannels(
  store: Store,
  page: { team?: string | undefined; after: string | undefined; limit: number },
): Promise<NotificationChannel[]> {
  const rows = await store.prisma.notificationChannel.findMany({
    where: {
      ...(page.team === undefined ? {} : { team: page.team }),
      ...(page.after === undefined ? {} : { id: { gt: page.after } }),
    },
    orderBy: { id: 'asc' },
    take: page.limit,
  });
  return rows.map(toChannel);
}

/** Null when there is none. */
export async function findChannel(store: Store, id: string): Promise<NotificationChannel | null> {
  const row = await store.prisma.notificationChannel.findUnique({ where: { id } });
  return row && toChannel(row);
}

/** @throws NameTakenError when the team has this target already; IdempotencyMismatchError, IdempotencyGoneError */
export async function createChannel(
  store: Store,
  content: NotificationChannelContent,
  idempotency?: IdempotentCreate,
): Promise<{ channel: NotificationChannel; repeated: boolean }> {
  try {
    const { made, repeated } = await createOnce(store, idempotency, {
      create: async (tx) => toChannel(await tx.notificationChannel.create({ data: { id: newId(), ...content } })),
      idOf: ({ id }) => id,
      find: (id) => findChannel(store, id),
    });
    return { channel: made, repeated };
  } catch (error) {
    throw isUniqueViolation(error) ? new NameTakenError(content.target, { cause: error }) : error;
  }
}

/**
 * Changes a channel under its row lock; `check` throws when its revision is not the expected one. Null: there is none.
 *
 * @throws NameTakenError
 */
export async function replaceChannel(
  store: Store,
  change: {
    id: string;
    content: Partial<NotificationChannelContent>;
    rotate?: boolean;
    check: (revision: number) => void;
  },
): Promise<NotificationChannel | null> {
  const { id, content, rotate = false, check } = change;
  try {
    return await store.prisma.$transaction(async (tx) => {
      const current = await lock(tx, id);
      if (!current) return null;
      check(current.revision);
      const data = {
        ...content,
        ...(content.enabled === true ? { disabledReason: null } : {}),
        ...(rotate ? { generation: current.generation + 1 } : {}),
        revision: current.revision + 1,
        updatedAt: new Date(),
      };
      return toChannel(await tx.notificationChannel.update({ where: { id }, data }));
    });
  } catch (error) {
    throw isUniqueViolation(error) ? new NameTakenError(content.target ?? '', { cause: error }) : error;
  }
}

/** False: there is none. What is on its way to it is not sent any more. */
export function deleteChannel(store: Store, id: string, check: (revision: number) => void): Promise<boolean> {
  return store.prisma.$transaction(async (tx) => {
    const current = await lock(tx, id);
    if (!current) return false;
    check(current.revision);
    await tx.delivery.updateMany({
      where: { channelId: id, state: 'due' },
      data: { state: 'failed', collecting: false, lastError: 'the channel was deleted', endedAt: new Date() },
    });
    await tx.notificationChannel.delete({ where: { id } });
    return true;
  });
}

/** Counts a rotation of the secret that signs a client's webhooks; the new generation, or null: no such client. */
export async function rotateWebhookSecret(store: Store, clientId: string): Promise<number | null> {
  const { rows } = await store.pool.query<{ generation: number }>(
    `UPDATE clients SET webhook_generation = webhook_generation + 1 WHERE id = $1 RETURNING webhook_generation AS generation`,
    [clientId],
  );
  return rows[0]?.generation ?? null;
}

/** The present generation of a client's webhook secret; null: no such client. */
export async function findWebhookGeneration(store: Store, clientId: string): Promise<number | null> {
  const { rows } = await store.pool.query<{ generation: number }>(
    `SELECT webhook_generation AS generation FROM clients WHERE id = $1`,
    [clientId],
  );
  return rows[0]?.generation ?? null;
}

async function lock(tx: Prisma.TransactionClient, id: string): Promise<NotificationChannel | null> {
  await tx.$queryRaw`SELECT FROM notification_channels WHERE id = ${id}::uuid FOR UPDATE`;
  const row = await tx.notificationChannel.findUnique({ where: { id } });
  return row && toChannel(row);
}

function toChannel(row: Prisma.NotificationChannelGetPayload<object>): NotificationChannel {
  return { ...row, kind: row.kind as ChannelKind };
}
