import { shortId, type OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { CHANNELS } from './listen.ts';

/** Above this many ids a signal says `*`; Postgres bounds a payload to 8,000 bytes. */
const MAX_IDS = 300;

/** Tells who waits for orders that these changed. Outside of any transaction: it must not serialise the commits. */
export interface OrderNotifier {
  notify(ids: readonly OrderId[]): void;
  /** Resolves when everything handed in was sent or has failed. */
  flush(): Promise<void>;
}

/** A notifier that sends whatever came in while the last signal travelled: one in flight at a time. */
export function createOrderNotifier(store: Store, onError: (error: Error) => void): OrderNotifier {
  let waiting: OrderId[] = [];
  let sending: Promise<void> | undefined;
  const send = async (): Promise<void> => {
    while (waiting.length > 0) {
      const ids = waiting;
      waiting = [];
      const payload = ids.length > MAX_IDS ? '*' : ids.map(shortId).join(',');
      await store.engine
        .query({ name: 'notify', text: 'SELECT pg_notify($1, $2)', values: [CHANNELS.orders, payload] })
        .catch(onError);
    }
    sending = undefined;
  };
  return {
    notify(ids) {
      for (const id of ids) waiting.push(id);
      if (waiting.length > 0) sending ??= send();
    },
    flush: () => sending ?? Promise.resolve(),
  };
}
