import pg from 'pg';

/** A statement was not run because one before it in the same flight had failed. */
export class NotRun extends Error {
  override readonly name = 'NotRun';
}

/** What pg calls on a query while its answer comes in; its types leave this out. */
interface Handlers {
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: pg.Connection): void;
  handleReadyForQuery(connection: pg.Connection): void;
  handleError(error: Error, connection: pg.Connection): void;
}

interface Passenger {
  query: pg.Query & Handlers;
  failed: boolean;
}

/**
 * Statements that travel together: one packet to Postgres, one packet back. Between statements that pg pipelines stands
 * a Sync each, at which Postgres sends what it has: a packet, two system calls and often a wake-up for every statement.
 * The first error ends the flight: what stands behind it is not run.
 *
 * Protocol: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class Flight implements pg.Submittable {
  readonly #passengers: Passenger[] = [];
  /** Which statement is being answered. */
  #at = 0;

  /** Takes a named statement along; prepared once a connection. */
  board<Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<pg.QueryResult<Row>> {
    return new Promise((resolve, reject) => {
      const passenger = { failed: false } as Passenger;
      // Given as one object, pg would copy it property by property: 4 µs a statement.
      const query = new pg.Query<Row>(text, values, (error, result) => {
        if (!error) return resolve(result);
        passenger.failed = true;
        reject(error);
      });
      passenger.query = Object.assign(query, { name }) as unknown as Passenger['query'];
      this.#passengers.push(passenger);
    });
  }

  submit = (connection: pg.Connection): void => {
    const { stream } = connection;
    // Each statement would send a Sync of its own.
    const aboard = Object.create(connection, { sync: { value: () => {} } }) as pg.Connection;
    stream.cork();
    for (const [at, passenger] of this.#passengers.entries()) {
      passenger.query.submit(aboard);
      // Its values cannot be sent.
      if (passenger.failed) {
        this.#strand(at + 1, connection);
        this.#passengers.length = at;
        break;
      }
    }
    connection.sync();
    stream.uncork();
  };

  handleRowDescription(message: unknown): void {
    this.#current?.handleRowDescription(message);
  }

  handleDataRow(message: unknown): void {
    this.#current?.handleDataRow(message);
  }

  handleCommandComplete(message: unknown, connection: pg.Connection): void {
    const current = this.#current;
    this.#at++;
    current?.handleCommandComplete(message, connection);
    current?.handleReadyForQuery(connection);
  }

  handleReadyForQuery(): void {
    // Every statement was answered by its own end.
  }

  handleError(error: Error, connection: pg.Connection): void {
    // The server's word is about one statement; a lost connection leaves all of them unanswered.
    const refused = error instanceof pg.DatabaseError;
    const at = this.#at;
    this.#at = this.#passengers.length;
    this.#passengers[at]?.query.handleError(error, connection);
    this.#strand(at + 1, connection, refused ? undefined : error);
  }

  #strand(from: number, connection: pg.Connection, error: Error = new NotRun('an earlier statement failed')): void {
    for (const { query } of this.#passengers.slice(from)) query.handleError(error, connection);
  }

  get #current(): Handlers | undefined {
    return this.#passengers[this.#at]?.query;
  }
}
