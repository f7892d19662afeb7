import type pg from 'pg';
import type { Store } from '../store.ts';

/** Runs `work` in one transaction on a connection of its own; whatever it throws rolls back and is thrown on. */
export async function inTransaction<T>(store: Store, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await store.pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    broken = false;
    return result;
  } finally {
    // A connection that failed in a transaction is thrown away, which also rolls it back.
    client.release(broken);
  }
}

/** Lets one transaction at a time change what is known of a worker type. */
export async function lockWorkerType(client: pg.ClientBase, workerType: string): Promise<void> {
  await client.query({
    name: 'lock_worker_type',
    text: `SELECT pg_advisory_xact_lock(hashtextextended('connecta worker type ' || $1, 0))`,
    values: [workerType],
  });
}
