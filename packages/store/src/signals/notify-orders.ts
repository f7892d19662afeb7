import type { OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { CHANNELS, orderSignalOf, type OrderChange } from './listen.ts';

/** Ids in one signal: Postgres bounds a payload to 8,000 bytes. */
const MAX_IDS = 300;
/** Beyond so many signals at once a single `*` is cheaper for everybody. */
const MAX_SIGNALS = 20;
/**
 * How long the change of an order that goes on may wait for further ones. Each signal wakes every process that listens:
 * one for each step of an order cost more than the steps' transactions. The end of an order is told at once.
 */
const OPEN_DELAY_MS = 25;

/** A hint need not survive a crash: its commit waits for no disk, nor do the batches' commits wait behind its own. */
const NOTIFY = `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, signal) FROM unnest($2::text[]) signal`;

/** Tells who waits for orders that these changed. Outside of any transaction: it must not serialise the commits. */
export interface OrderNotifier {
  notify(changes: readonly OrderChange[]): void;
  /** Of these orders everything was told already. */
  told(orderIds: Iterable<OrderId>): void;
  /** Sends what still waits; resolves when everything handed in was sent or has failed. */
  flush(): Promise<void>;
}

/** A notifier that sends whatever came in while the last signal travelled: one in flight at a time. */
export function createOrderNotifier(store: Store, onError: (error: Error) => void): OrderNotifier {
  let waiting = new Map<OrderId, OrderChange>();
  let sending: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const send = async (): Promise<void> => {
    while (waiting.size > 0) {
      const signals = signalsOf([...waiting.values()]);
      waiting = new Map();
      await store.engine.query({ name: 'notify', text: NOTIFY, values: [CHANNELS.orders, signals] }).catch(onError);
    }
    sending = undefined;
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    // Without anything to send, `send` would have ended before its promise is kept here.
    if (waiting.size > 0) sending ??= send();
    return sending ?? Promise.resolve();
  };
  return {
    notify(changes) {
      let ended = false;
      for (const change of changes) {
        ended ||= !change.open;
        if (waiting.get(change.orderId)?.open !== false) waiting.set(change.orderId, change);
      }
      if (ended) void flush();
      else if (waiting.size > 0) timer ??= setTimeout(() => void flush(), OPEN_DELAY_MS);
    },
    told(orderIds) {
      for (const orderId of orderIds) waiting.delete(orderId);
    },
    flush,
  };
}

function signalsOf(changes: readonly OrderChange[]): string[] {
  if (changes.length > MAX_IDS * MAX_SIGNALS) return ['*'];
  const signals: string[] = [];
  for (let at = 0; at < changes.length; at += MAX_IDS) signals.push(orderSignalOf(changes.slice(at, at + MAX_IDS)));
  return signals;
}
