import { newId, type JsonValue } from '@connecta/contracts';
import type pg from 'pg';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Store } from '../store.ts';
import type { ChannelKind } from './channels.ts';

export const DELIVERY_STATES = ['due', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One message to one receiver; `id` is its `webhook-id`, the same in every attempt. */
export interface NewDelivery {
  kind: ChannelKind;
  target: string;
  team: string | null;
  channelId: string | null;
  clientId: string | null;
  orderId: string | null;
  /** Names the secret that signs it. */
  signedAs: string;
  body: { [name: string]: JsonValue };
}

/** A message with what became of it. */
export interface Delivery extends NewDelivery {
  id: string;
  state: DeliveryState;
  attempts: number;
  nextAt: Date;
  lastStatus: number | null;
  lastError: string | null;
  createdAt: Date;
  endedAt: Date | null;
}

const COLUMNS = `d.id, d.kind, d.target, d.team, d.channel_id AS "channelId", d.client_id AS "clientId",
  d.order_id AS "orderId", d.signed_as AS "signedAs", d.body, d.state, d.attempts, d.next_at AS "nextAt",
  d.last_status AS "lastStatus", d.last_error AS "lastError", d.created_at AS "createdAt", d.ended_at AS "endedAt"`;

/** Writes messages that are to be sent at once, in the caller's transaction. */
export async function insertDeliveries(client: pg.ClientBase, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await client.query({
    name: 'insert_deliveries',
    text: `INSERT INTO deliveries (id, kind, target, team, channel_id, client_id, order_id, signed_as, body)
      SELECT id, kind, target, team, "channelId", "clientId", "orderId", "signedAs", body
      FROM json_to_recordset($1::json) x(id uuid, kind text, target text, team text, "channelId" uuid, "clientId" uuid,
        "orderId" uuid, "signedAs" text, body jsonb)`,
    values: [JSON.stringify(deliveries.map((delivery) => ({ id: newId(), ...delivery })))],
  });
}

/** Adds notices to the digest that a channel collects, or begins one that is sent `digestMs` from now. */
export async function addToDigest(
  client: pg.ClientBase,
  delivery: NewDelivery & { channelId: string },
  digestMs: number,
): Promise<void> {
  await client.query({
    name: 'add_to_digest',
    text: `INSERT INTO deliveries AS d (id, kind, target, team, channel_id, signed_as, body, collecting, next_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, true, now() + $8 * interval '1 millisecond')
      ON CONFLICT (channel_id) WHERE collecting DO UPDATE
        SET body = jsonb_set(d.body, '{data,notices}', (d.body#>'{data,notices}') || (excluded.body#>'{data,notices}'))`,
    values: [
      ...[newId(), delivery.kind, delivery.target, delivery.team, delivery.channelId, delivery.signedAs],
      JSON.stringify(delivery.body),
      digestMs,
    ],
  });
}

/**
 * Takes messages that are due. Each counts as tried from here on and comes again after `claimMs`, should this process
 * die before it says what became of it.
 */
export async function takeDueDeliveries(
  store: Store,
  { limit, claimMs }: { limit: number; claimMs: number },
): Promise<Delivery[]> {
  const { rows } = await store.pool.query<Delivery>({
    name: 'take_due_deliveries',
    text: `WITH due AS (
        SELECT id FROM deliveries WHERE state = 'due'::text AND next_at <= now() ORDER BY next_at LIMIT $1
        FOR UPDATE SKIP LOCKED)
      UPDATE deliveries d SET attempts = d.attempts + 1, collecting = false,
        next_at = now() + $2 * interval '1 millisecond'
      FROM due WHERE d.id = due.id RETURNING ${COLUMNS}`,
    values: [limit, claimMs],
  });
  return rows;
}

/** What became of one attempt: delivered, to be tried again after `retryMs`, or given up (`retryMs` null). */
export async function recordAttempt(
  store: Store,
  attempt: { id: string; attempt: number; status: number | null; error: string | null; retryMs: number | null },
): Promise<void> {
  await store.pool.query({
    name: 'record_delivery_attempt',
    text: `UPDATE deliveries SET last_status = $3, last_error = $4,
        state = CASE WHEN $4::text IS NULL THEN 'delivered' WHEN $5::bigint IS NULL THEN 'failed' ELSE 'due' END,
        next_at = CASE WHEN $4::text IS NOT NULL AND $5::bigint IS NOT NULL
          THEN now() + $5 * interval '1 millisecond' ELSE next_at END,
        ended_at = CASE WHEN $4::text IS NULL OR $5::bigint IS NULL THEN now() END
      WHERE id = $1 AND attempts = $2 AND state = 'due'`,
    values: [attempt.id, attempt.attempt, attempt.status, attempt.error, attempt.retryMs],
  });
}

/** Switches a channel off and gives up what is on its way to it. False when it was off already. */
export async function disableChannel(client: pg.ClientBase, channelId: string, reason: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE notification_channels SET enabled = false, disabled_reason = $2, revision = revision + 1, updated_at = now()
     WHERE id = $1 AND enabled`,
    [channelId, reason],
  );
  await client.query(
    `UPDATE deliveries SET state = 'failed', collecting = false, last_error = coalesce(last_error, $2), ended_at = now()
     WHERE channel_id = $1 AND state = 'due'`,
    [channelId, `the channel was switched off: ${reason}`],
  );
  return rowCount === 1;
}

/** Deliveries, newest first, from before an id on. */
export async function listDeliveries(
  store: Store,
  page: {
    team?: string | undefined;
    orderId?: string | undefined;
    clientId?: string | undefined;
    state?: DeliveryState | undefined;
    before: string | undefined;
    limit: number;
  },
): Promise<Delivery[]> {
  const { team, orderId, clientId, state, before } = page;
  const rows = await store.prisma.delivery.findMany({
    where: {
      ...(team === undefined ? {} : { team }),
      ...(orderId === undefined ? {} : { orderId }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(state === undefined ? {} : { state }),
      ...(before === undefined ? {} : { id: { lt: before } }),
    },
    orderBy: { id: 'desc' },
    take: page.limit,
  });
  return rows.map(toDelivery);
}

/** Null when there is none. */
export async function findDelivery(store: Store, id: string): Promise<Delivery | null> {
  const row = await store.prisma.delivery.findUnique({ where: { id } });
  return row && toDelivery(row);
}

/** Sends a message that has ended once more from the first attempt on; false when it has not ended or does not exist. */
export async function redeliver(store: Store, id: string): Promise<boolean> {
  const { rowCount } = await store.pool.query(
    `UPDATE deliveries SET state = 'due', attempts = 0, next_at = now(), ended_at = NULL, last_error = NULL,
       last_status = NULL
     WHERE id = $1 AND state <> 'due'`,
    [id],
  );
  return rowCount === 1;
}

/** Forgets deliveries that ended `olderThanMs` ago. */
export async function forgetOldDeliveries(store: Store, olderThanMs: number, limit: number): Promise<number> {
  const { rowCount } = await store.pool.query(
    `DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries
       WHERE ended_at < now() - $1 * interval '1 millisecond' LIMIT $2)`,
    [olderThanMs, limit],
  );
  return rowCount ?? 0;
}

function toDelivery({ collecting: _, ...row }: Prisma.DeliveryGetPayload<object>): Delivery {
  return {
    ...row,
    kind: row.kind as ChannelKind,
    state: row.state as DeliveryState,
    body: row.body as Delivery['body'],
  };
}
