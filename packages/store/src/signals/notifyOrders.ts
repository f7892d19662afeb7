import type { Store } from '../store.ts';
import { CHANNELS, orderSignalOf, type OrderChange } from './listen.ts';

/** Above this many ids a signal says `*`; Postgres bounds a payload to 8,000 bytes. */
const MAX_IDS = 300;

/** A hint need not survive a crash: its commit waits for no disk, nor do the batches' commits wait behind its own. */
const NOTIFY = `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`;

/** Tells who waits for orders that these changed. Outside of any transaction: it must not serialise the commits. */
export interface OrderNotifier {
  notify(changes: readonly OrderChange[]): void;
  /** Resolves when everything handed in was sent or has failed. */
  flush(): Promise<void>;
}

/** A notifier that sends whatever came in while the last signal travelled: one in flight at a time. */
export function createOrderNotifier(store: Store, onError: (error: Error) => void): OrderNotifier {
  let waiting: OrderChange[] = [];
  let sending: Promise<void> | undefined;
  const send = async (): Promise<void> => {
    while (waiting.length > 0) {
      const changes = waiting;
      waiting = [];
      const payload = changes.length > MAX_IDS ? '*' : orderSignalOf(changes);
      await store.engine.query({ name: 'notify', text: NOTIFY, values: [CHANNELS.orders, payload] }).catch(onError);
    }
    sending = undefined;
  };
  return {
    notify(changes) {
      for (const change of changes) waiting.push(change);
      if (waiting.length > 0) sending ??= send();
    },
    flush: () => sending ?? Promise.resolve(),
  };
}
