import type { HistoryEvent, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** One event of an order's history with its number, counted from 1. */
export interface NumberedEvent {
  number: number;
  at: Date;
  event: HistoryEvent;
}

/**
 * The events behind a number, in order. Events of one order are written under its row lock, so none can appear later
 * behind one that was read.
 */
export async function findOrderEvents(store: Store, id: OrderId, after: number): Promise<NumberedEvent[]> {
  const { rows } = await store.pool.query<{ seq: number; at: Date; events: HistoryEvent[] }>({
    name: 'find_order_events',
    text: `SELECT seq, at, events FROM order_events
           WHERE order_id = $1 AND seq + jsonb_array_length(events) > $2::int + 1 ORDER BY seq`,
    values: [id, after],
  });
  return rows
    .flatMap(({ seq, at, events }) => events.map((event, n) => ({ number: seq + n, at, event })))
    .filter(({ number }) => number > after);
}
