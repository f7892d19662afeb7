import type { Writable } from 'node:stream';
import type pg from 'pg';
import type { Store } from '../store.ts';

/** The transaction did not commit although every statement was sent: an earlier one had failed. */
export class BatchRolledBack extends Error {
  override readonly name = 'BatchRolledBack';
}

/** The connection was lost with the commit on its way: nobody knows whether it took place. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
}

/**
 * One transaction of the engine. States: open → committed | rolled back. Statements are pipelined: all that are handed
 * in during one turn of the event loop travel in one flight, so a batch costs two round trips, one to read and one to
 * write and commit.
 */
export interface Batch {
  /** Sends a named statement; prepared once a connection. */
  run<Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<Row[]>;
  /**
   * Commits in the same flight as the given last statements.
   *
   * @throws the first statement's error, CommitUnknown, or BatchRolledBack.
   */
  commit(last: readonly Promise<unknown>[]): Promise<void>;
}

/** Runs `work` in one transaction; whatever it throws rolls back and is thrown on. `work` must call `commit`. */
export async function inBatch<T>(store: Store, work: (batch: Batch) => Promise<T>): Promise<T> {
  const client = await store.engine.connect();
  let broken = true;
  let open = true;
  const flight = new Flight(client);
  flight.depart();
  const begun = client.query('BEGIN');
  begun.catch(() => {}); // its error also fails every statement behind it
  const batch: Batch = {
    async run(name, text, values) {
      flight.depart();
      return (await client.query<never>({ name, text, values })).rows;
    },
    async commit(last) {
      flight.depart();
      const [done, ...settled] = await Promise.allSettled([client.query('COMMIT'), begun, ...last]);
      open = false;
      // A failed statement turns COMMIT into ROLLBACK and leaves it answered: no answer means that nobody knows.
      if (done.status === 'rejected') throw new CommitUnknown('the commit was not answered', { cause: done.reason });
      for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason as Error;
      if (done.value.command !== 'COMMIT') throw new BatchRolledBack('the transaction was rolled back');
    },
  };
  try {
    const result = await work(batch);
    if (open) throw new Error('a batch ended without commit');
    broken = false;
    return result;
  } finally {
    // A connection that failed in a transaction is thrown away: cheaper than to prove that it is clean.
    client.release(broken);
  }
}

/** pg writes each statement by itself (a system call, and a packet that wakes the server): a flight leaves as one. */
class Flight {
  readonly #stream: Writable;
  #boarding = false;

  constructor(client: pg.PoolClient) {
    this.#stream = (client as unknown as { connection: { stream: Writable } }).connection.stream;
  }

  /** What is written from here on leaves at the end of this turn. */
  depart(): void {
    if (this.#boarding) return;
    this.#boarding = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#boarding = false;
      this.#stream.uncork();
    });
  }
}
