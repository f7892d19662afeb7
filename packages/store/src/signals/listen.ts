import pg from 'pg';
import { longId, shortId, type OrderId } from '@connecta/contracts';

/** What the processes tell each other through Postgres; each is a hint with a slow poll behind it, never the truth. */
export const CHANNELS = {
  /** New orders were accepted. */
  intake: 'connecta_intake',
  /** Orders changed: comma-separated short ids, `+` before those that go on, or `*` for many. */
  orders: 'connecta_orders',
  /** Orders were cancelled: comma-separated short ids. */
  commands: 'connecta_commands',
  /** Waiting jobs were answered. */
  answers: 'connecta_answers',
} as const;
export type Channel = keyof typeof CHANNELS;

export interface ListenOptions {
  databaseUrl: string;
  channels: readonly Channel[];
  onSignal: (channel: Channel, payload: string) => void;
  /** Called whenever signals are heard from now on: at first, and after a lost connection came back. */
  onListening?: () => void;
  /** Called after a lost connection came back: signals may have been missed. */
  onGap: () => void;
  onError: (error: Error) => void;
}

/** Listens on one connection of its own until closed; reconnects by itself. */
export function listen(options: ListenOptions): { ready: Promise<void>; close(): Promise<void> } {
  let closed = false;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let first = true;
  const names = new Map<string, Channel>(options.channels.map((channel) => [CHANNELS[channel], channel]));

  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: options.databaseUrl,
      application_name: 'connecta-listen',
      keepAlive: true,
      connectionTimeoutMillis: 5000,
    });
    client = next;
    next.on('error', (error) => {
      options.onError(error);
      again();
    });
    next.on('end', () => {
      if (client === next) again();
    });
    next.on('notification', ({ channel, payload }) => {
      const known = names.get(channel);
      if (known) options.onSignal(known, payload ?? '');
    });
    await next.connect();
    for (const name of names.keys()) await next.query(`LISTEN ${name}`);
    options.onListening?.();
    if (!first) options.onGap();
    first = false;
  };
  const again = (): void => {
    if (closed || retry) return;
    const broken = client;
    client = undefined;
    broken?.end().catch(() => {});
    retry = setTimeout(() => {
      retry = undefined;
      connect().catch((error: unknown) => {
        options.onError(error as Error);
        again();
      });
    }, 500);
  };

  const ready = connect().catch((error: unknown) => {
    options.onError(error as Error);
    first = false;
    again();
  });
  return {
    ready,
    async close() {
      closed = true;
      clearTimeout(retry);
      const last = client;
      client = undefined;
      await last?.end().catch(() => {});
    },
  };
}

/** An order that changed; `open` when it goes on, so that whoever waits for its end need not look. */
export interface OrderChange {
  orderId: OrderId;
  open: boolean;
}

/** Marks an order that goes on; without it, it may have ended. */
const OPEN = '+';

/** The payload for these changes. */
export function orderSignalOf(changes: readonly OrderChange[]): string {
  return changes.map(({ orderId, open }) => `${open ? OPEN : ''}${shortId(orderId)}`).join(',');
}

/** The changes in a payload, or null for `*`: any order may have changed. */
export function readOrderSignal(payload: string): OrderChange[] | null {
  if (payload === '*') return null;
  return payload.split(',').map((item) => {
    const open = item.startsWith(OPEN);
    return { orderId: longId<OrderId>(open ? item.slice(OPEN.length) : item), open };
  });
}
