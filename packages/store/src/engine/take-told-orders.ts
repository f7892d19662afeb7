import type { OrderId } from '@connecta/contracts';
import pg from 'pg';
import type { Store } from '../store.ts';
import { CommitUnknown } from './batch.ts';
import { valuesOf, writesOf, type OrderWrites } from './orders.ts';

/**
 * Writes accepted orders that nobody holds locked: what was decided on them as their signals told them. One statement,
 * which is its own transaction, takes them and writes; of those that somebody else took, or cancelled, nothing is
 * written. Returns those that were taken.
 *
 * @throws CommitUnknown when it was not answered, or what the database refused: nothing was written then.
 */
export async function takeToldOrders({ engine }: Pick<Store, 'engine'>, writes: OrderWrites): Promise<OrderId[]> {
  try {
    const { rows } = await engine.query<{ taken: OrderId[] }>({
      name: 'take_told_orders',
      text: `WITH taken AS MATERIALIZED (
           SELECT id FROM orders WHERE id = ANY($4::uuid[]) AND state = 'accepted' AND version = 0
           ORDER BY id FOR UPDATE SKIP LOCKED),
         ${writesOf((orderId) => `JOIN taken ON taken.id = ${orderId}`)}
         SELECT ARRAY(SELECT id FROM taken) AS taken, count(told), count(freed) FROM written`,
      values: [...valuesOf(writes), writes.orders.map(({ id }) => id)],
    });
    return rows.flatMap(({ taken }) => taken);
  } catch (error) {
    if (isRefusal(error)) throw error;
    throw new CommitUnknown('taking told orders was not answered', { cause: error });
  }
}

/** Whether the database has answered that it wrote nothing. A session that it ends (57P…) may have written before. */
function isRefusal(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code?.startsWith('57P') !== true;
}
