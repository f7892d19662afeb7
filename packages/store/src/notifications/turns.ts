import type { Store } from '../store.ts';
import { inTransaction } from '../workers/transaction.ts';
import type { NotificationChannel } from './channels.ts';
import { addToDigest, disableChannel, insertDeliveries, type NewDelivery } from './deliveries.ts';
import {
  findOfflineTypes,
  listOwners,
  takeEndedOrders,
  takeUntoldFailures,
  type EndedOrder,
  type OfflineType,
  type Owner,
  type UntoldFailure,
} from './failures.ts';
import { noteNotices, takeDueNotices, type NewNotice, type Notice } from './notices.ts';

/** What a turn looks at, how much of it at once, and how long the same news stays untold. */
export interface CollectOptions {
  limit: number;
  /** A type without a live instance is news after so long. */
  offlineGraceMs: number;
  quietMs: number;
  decide(facts: {
    failures: readonly UntoldFailure[];
    offline: readonly OfflineType[];
    owners: readonly Owner[];
  }): (NewNotice & { count: number })[];
}

/** Turns failures that nobody was told of, and types without a worker, into notices, in one transaction. */
export function collectNotices(store: Store, options: CollectOptions): Promise<{ taken: number }> {
  return inTransaction(store, async (client) => {
    const failures = await takeUntoldFailures(client, options.limit);
    const offline = await findOfflineTypes(client, options.offlineGraceMs);
    if (failures.length === 0 && offline.length === 0) return { taken: 0 };
    const owners = await listOwners(client);
    await noteNotices(client, options.decide({ failures, offline, owners }), options.quietMs);
    return { taken: failures.length };
  });
}

/** Turns the ends of orders that name a webhook into deliveries, in one transaction. */
export function collectOrderEnds(
  store: Store,
  { limit, toDelivery }: { limit: number; toDelivery: (order: EndedOrder) => NewDelivery },
): Promise<{ taken: number }> {
  return inTransaction(store, async (client) => {
    const orders = await takeEndedOrders(client, limit);
    await insertDeliveries(client, orders.map(toDelivery));
    return { taken: orders.length };
  });
}

/** Turns due notices into deliveries to the channels of their teams, in one transaction. */
export function spreadNotices(
  store: Store,
  options: {
    limit: number;
    /** `digestMs` above 0: added to what its channel collects. */
    toDeliveries(
      notice: Notice,
      known: { channels: readonly NotificationChannel[]; owners: readonly Owner[] },
    ): {
      delivery: NewDelivery;
      digestMs: number;
    }[];
  },
): Promise<{ taken: number }> {
  return inTransaction(store, async (client) => {
    const notices = await takeDueNotices(client, options.limit);
    if (notices.length === 0) return { taken: 0 };
    const { rows: channels } = await client.query<NotificationChannel>(
      `SELECT id, team, kind, target, digest_ms AS "digestMs", enabled, disabled_reason AS "disabledReason", generation,
         revision, created_at AS "createdAt", updated_at AS "updatedAt"
       FROM notification_channels WHERE team = ANY($1::text[]) ORDER BY id`,
      [[...new Set(notices.map(({ team }) => team))]],
    );
    const owners = await listOwners(client);
    const all = notices.flatMap((notice) => options.toDeliveries(notice, { channels, owners }));
    await insertDeliveries(
      client,
      all.filter(({ digestMs }) => digestMs === 0).map(({ delivery }) => delivery),
    );
    for (const { delivery, digestMs } of all) {
      const { channelId } = delivery;
      if (digestMs > 0 && channelId !== null) await addToDigest(client, { ...delivery, channelId }, digestMs);
    }
    return { taken: notices.length };
  });
}

/** Switches a channel off that no longer takes messages, and notes that as news for its team. */
export function giveUpChannel(
  store: Store,
  { channelId, reason, notice }: { channelId: string; reason: string; notice: NewNotice },
): Promise<void> {
  return inTransaction(store, async (client) => {
    if (await disableChannel(client, channelId, reason)) await noteNotices(client, [{ ...notice, count: 1 }], 0);
  });
}
