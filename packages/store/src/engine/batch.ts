import type pg from 'pg';
import type { Store } from '../store.ts';
import { Flight, NotRun } from './flight.ts';

/** The transaction did not commit although every statement was sent: an earlier one had failed. */
export class BatchRolledBack extends Error {
  override readonly name = 'BatchRolledBack';
}

/** The connection was lost with the commit on its way: nobody knows whether it took place. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
}

/**
 * One transaction of the engine. States: open → committed | rolled back. All statements that are handed in during
 * one turn of the event loop travel in one flight, so a batch costs two round trips, one to read and one to write and
 * commit.
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

/**
 * Runs `work` in one transaction; whatever it throws rolls back and is thrown on, or, where it is that a statement was not
 * run, why. `work` must call `commit`.
 */
export async function inBatch<T>(store: Store, work: (batch: Batch) => Promise<T>): Promise<T> {
  const client = await store.engine.connect();
  let broken = true;
  let open = true;
  const gate = new Gate(client);
  const begun = gate.send('begin', 'BEGIN');
  begun.catch(() => {}); // its error also fails every statement behind it
  const batch: Batch = {
    async run<Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]) {
      return (await gate.send<Row>(name, text, values)).rows;
    },
    async commit(last) {
      const [done, ...settled] = await Promise.allSettled([gate.send('commit', 'COMMIT'), begun, ...last]);
      open = false;
      const refused = settled.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason as Error);
      const cause = refused.find((error) => !(error instanceof NotRun));
      if (done.status === 'rejected') {
        if (done.reason instanceof NotRun)
          throw cause ?? new BatchRolledBack('a statement failed', { cause: done.reason });
        // The commit was sent, and no answer means that nobody knows.
        throw new CommitUnknown('the commit was not answered', { cause: done.reason });
      }
      if (cause) throw cause;
      if (done.value.command !== 'COMMIT') throw new BatchRolledBack('the transaction was rolled back');
    },
  };
  try {
    const result = await work(batch);
    if (open) throw new Error('a batch ended without commit');
    broken = false;
    return result;
  } catch (error) {
    // What was not run says nothing; the statement before it that was refused says why.
    throw (error instanceof NotRun ? gate.refusal : undefined) ?? error;
  } finally {
    // A connection that failed in a transaction is thrown away: cheaper than to prove that it is clean.
    client.release(broken);
  }
}

/** Sends what is handed in during one turn of the event loop as one flight. */
class Gate {
  readonly #client: pg.PoolClient;
  /** The first error that is of a statement itself. */
  refusal: Error | undefined;
  #boarding: Flight | undefined;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  send<Row extends pg.QueryResultRow>(
    name: string,
    text: string,
    values: unknown[] = [],
  ): Promise<pg.QueryResult<Row>> {
    if (!this.#boarding) {
      this.#boarding = new Flight();
      process.nextTick(() => this.#depart());
    }
    const answer = this.#boarding.board<Row>(name, text, values);
    answer.catch((error: unknown) => {
      if (!(error instanceof NotRun)) this.refusal ??= error as Error;
    });
    return answer;
  }

  #depart(): void {
    const flight = this.#boarding;
    this.#boarding = undefined;
    if (flight) this.#client.query(flight);
  }
}
