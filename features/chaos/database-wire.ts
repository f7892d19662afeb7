import { TcpProxy, type Wire } from '@connecta/embedded';

/** `opened`: the database has begun a transaction; `committed`: it has committed one, and nobody has heard of it yet. */
export type Moment = 'opened' | 'committed';

/** Something to be done in the moment in which it is seen. */
interface Trap {
  readonly moment: Moment;
  readonly of: (application: string) => boolean;
  readonly strike: () => void;
}

const BEGUN = Buffer.from('BEGIN\0');
const COMMITTED = Buffer.from('COMMIT\0');
const ROLLED_BACK = Buffer.from('ROLLBACK\0');
const APPLICATION = Buffer.from('application_name\0');
/** Type and length of ReadyForQuery, the last message of every answer; the transaction's status follows. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5]);

/**
 * The way from all processes to Postgres, in the hands of whoever breaks it: he knows who has a transaction open, strikes
 * in a chosen moment of one, and can have answers and requests vanish together with their connections.
 */
export class DatabaseWire {
  #proxy!: TcpProxy;
  readonly #open = new Map<symbol, string>();
  readonly #traps = new Set<Trap>();
  readonly #seen = { answers: 0, requests: 0 };
  /** Of so many answers, or requests, one vanishes; 0: none. */
  readonly oneIn = { answers: 0, requests: 0 };
  /** How many have vanished so far. */
  readonly vanished = { answers: 0, requests: 0 };

  static async start(target: string): Promise<DatabaseWire> {
    const wire = new DatabaseWire();
    wire.#proxy = await TcpProxy.start({ target, watch: (kill) => wire.#watch(kill) });
    return wire;
  }

  get url(): string {
    return this.#proxy.url;
  }

  close(): Promise<void> {
    return this.#proxy.close();
  }

  /** How many transactions are open now, of the applications that are meant. */
  openTransactions(of: Trap['of'] = () => true): number {
    return [...this.#open.values()].filter(of).length;
  }

  /**
   * Strikes, once, in the next such moment of such an application: what was just seen has not been passed on yet, and of
   * a commit it never is. Resolves with false when the moment did not come in time.
   */
  async strike(trap: Trap, withinMs: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const set: Trap = {
      ...trap,
      strike: () => {
        this.#traps.delete(set);
        trap.strike();
        resolve(true);
      },
    };
    this.#traps.add(set);
    const timer = setTimeout(() => resolve(false), withinMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#traps.delete(set);
    }
  }

  #watch(kill: () => void): Wire {
    const id = Symbol('connection');
    let application = '';
    return {
      ended: () => this.#open.delete(id),
      fromClient: (chunk) => {
        if (application === '') application = applicationOf(chunk);
        else if (this.#vanishes('requests')) kill();
      },
      fromServer: (chunk) => {
        if (chunk.includes(BEGUN)) {
          this.#open.set(id, application);
          this.#spring('opened', application);
        }
        if (chunk.includes(COMMITTED)) {
          if (this.#spring('committed', application)) kill();
          this.#open.delete(id);
        } else if (chunk.includes(ROLLED_BACK)) this.#open.delete(id);
        if (chunk.subarray(-6, -1).equals(READY) && this.#vanishes('answers')) kill();
      },
    };
  }

  #vanishes(what: 'answers' | 'requests'): boolean {
    const every = this.oneIn[what];
    if (every === 0 || ++this.#seen[what] % every !== 0) return false;
    this.vanished[what]++;
    return true;
  }

  #spring(moment: Moment, application: string): boolean {
    const due = [...this.#traps].filter((trap) => trap.moment === moment && trap.of(application));
    for (const trap of due) trap.strike();
    return due.length > 0;
  }
}

/** What a connection calls itself in its first message. */
function applicationOf(chunk: Buffer): string {
  const at = chunk.indexOf(APPLICATION);
  if (at < 0) return '';
  const from = at + APPLICATION.length;
  return chunk.toString('utf8', from, chunk.indexOf(0, from));
}
