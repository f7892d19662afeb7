import pg from 'pg';

/** Any number: the advisory lock of the replica that runs the timers and the reconciler. */
const LOCK = 7_266_001;

/**
 * Who of several replicas leads. Leadership is a lock of one database session: it ends with the session, so a killed
 * leader is followed at once, and a lost connection is noticed with the next question.
 */
export class Leadership {
  readonly #databaseUrl: string;
  readonly #onError: (error: Error) => void;
  #client: Promise<pg.Client> | undefined;
  #leading = false;

  constructor(databaseUrl: string, onError: (error: Error) => void) {
    this.#databaseUrl = databaseUrl;
    this.#onError = onError;
  }

  /** True while this process leads; tries to become leader otherwise. */
  async isLeading(): Promise<boolean> {
    try {
      const client = await (this.#client ??= this.#connect());
      if (this.#leading) await client.query('SELECT 1');
      else {
        const { rows } = await client.query<{ won: boolean }>('SELECT pg_try_advisory_lock($1) AS won', [LOCK]);
        this.#leading = rows[0]?.won ?? false;
      }
      return this.#leading;
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#leading = false;
    await client?.then((open) => open.end()).catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      application_name: 'connecta-leader',
      keepAlive: true,
      connectionTimeoutMillis: 5000,
      query_timeout: 5000,
    });
    client.on('error', (error) => {
      this.#onError(error);
      // The word of an earlier connection may come late: it must not end the one that followed.
      void this.#client?.then((current) => (current === client ? this.#drop() : undefined)).catch(() => {});
    });
    await client.connect();
    return client;
  }

  #drop(): void {
    void this.close();
  }
}
