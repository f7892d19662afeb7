import type { Batch } from './batch.ts';
import { ORDER_COLUMNS, type AcceptedOrder } from './orders.ts';

/** So many concurrency keys that have room are looked at in one go. */
const MAX_KEYS = 1000;
/** The class of the advisory locks of concurrency keys. */
const LOCK_CLASS = 20_261_121;

/**
 * Takes accepted orders that no other replica is taking: those of high priority first, then the oldest. Of orders with a
 * concurrency key only so many that no more than its maximum are active.
 */
export async function takeAcceptedOrders(batch: Batch, limit: number): Promise<AcceptedOrder[]> {
  const [free, keys] = await Promise.all([takeFreeOrders(batch, limit), lockKeys(batch)]);
  return keys.length === 0 ? free : [...free, ...(await takeHeldOrders(batch, keys, limit))];
}

function takeFreeOrders(batch: Batch, limit: number): Promise<AcceptedOrder[]> {
  return batch.run(
    'take_accepted_orders',
    `SELECT ${ORDER_COLUMNS}, input FROM orders WHERE state = 'accepted' AND concurrency_key IS NULL
     ORDER BY priority DESC, id LIMIT $1 FOR UPDATE SKIP LOCKED`,
    [limit],
  );
}

/**
 * The keys of waiting orders that have room and that nobody else is counting: those without room must not keep the keys
 * behind them from their turn. They are locked in a statement of their own: the one that counts must see what the last
 * holder of the lock committed. Keys are found by jumping from one to the next in the index, for one key may have a
 * backlog of any length.
 */
async function lockKeys(batch: Batch): Promise<string[]> {
  const rows = await batch.run<{ key: string }>(
    'lock_concurrency_keys',
    `WITH RECURSIVE keys AS (
       SELECT min(concurrency_key) AS key FROM orders WHERE state = 'accepted' AND concurrency_key IS NOT NULL
       UNION ALL
       SELECT (SELECT min(o.concurrency_key) FROM orders o
               WHERE o.state = 'accepted' AND o.concurrency_key IS NOT NULL AND o.concurrency_key > k.key)
       FROM keys k WHERE k.key IS NOT NULL),
     found AS MATERIALIZED (
       SELECT key FROM keys k WHERE key IS NOT NULL
         AND (SELECT count(*) FROM orders a WHERE a.state = 'active' AND a.concurrency_key = k.key)
           < (SELECT o.concurrency_max FROM orders o WHERE o.state = 'accepted' AND o.concurrency_key = k.key
              ORDER BY o.priority DESC, o.id LIMIT 1)
       LIMIT $1)
     SELECT key FROM found WHERE pg_try_advisory_xact_lock($2, hashtext(key))`,
    [MAX_KEYS, LOCK_CLASS],
  );
  return rows.map(({ key }) => key);
}

function takeHeldOrders(batch: Batch, keys: readonly string[], limit: number): Promise<AcceptedOrder[]> {
  return batch.run(
    'take_held_orders',
    `SELECT ${ORDER_COLUMNS}, input FROM orders WHERE id IN (
       SELECT next.id FROM unnest($1::text[]) k(key)
       CROSS JOIN LATERAL (
         SELECT count(*) AS active FROM orders a WHERE a.state = 'active' AND a.concurrency_key = k.key) running
       CROSS JOIN LATERAL (
         SELECT first.id FROM (
           SELECT o.id, o.concurrency_max, row_number() OVER (ORDER BY o.priority DESC, o.id) AS place FROM orders o
           WHERE o.state = 'accepted' AND o.concurrency_key = k.key ORDER BY o.priority DESC, o.id LIMIT $2) first
         WHERE first.place <= first.concurrency_max - running.active) next
       LIMIT $2)
     AND state = 'accepted' ORDER BY priority DESC, id FOR UPDATE SKIP LOCKED`,
    [keys, limit],
  );
}
