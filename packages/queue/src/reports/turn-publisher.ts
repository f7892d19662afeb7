import type { WorkerEvent } from '@connecta/contracts';
import { EventBacklogError, QueueClosedError } from '../errors.ts';
import type { QueueOptions } from '../options.ts';
import { Sleeper } from '../waiting.ts';

/** Reports in one entry at most, so that a burst does not become one huge batch for the reader. */
const ENTRY_EVENTS = 200;

interface Turn extends PromiseWithResolvers<void> {
  events: WorkerEvent[];
}

/** Writes one entry, a JSON array of reports, into a type's channel. */
export type WriteEntry = (workerType: string, body: string) => Promise<unknown>;

/**
 * Sends reports: all of one event loop turn in one entry, as a JSON array. One entry per turn rather than one per
 * report, because a reader that waits is woken by the first entry and would see a batch of one.
 */
export class TurnPublisher {
  readonly #writeEntry: WriteEntry;
  readonly #options: QueueOptions;
  readonly #sleeper = new Sleeper();
  #turns = new Map<string, Turn>();
  #pending = 0;

  constructor(writeEntry: WriteEntry, options: QueueOptions) {
    this.#writeEntry = writeEntry;
    this.#options = options;
  }

  publish(workerType: string, events: readonly WorkerEvent[]): Promise<void> {
    if (this.#sleeper.isStopped()) return Promise.reject(new QueueClosedError());
    if (this.#pending + events.length > this.#options.maxPendingEvents)
      return Promise.reject(new EventBacklogError(this.#pending));
    this.#pending += events.length;
    if (this.#turns.size === 0) setImmediate(() => this.#flush());
    let turn = this.#turns.get(workerType);
    if (!turn) {
      const resolvers: PromiseWithResolvers<void> = Promise.withResolvers();
      turn = { events: [], ...resolvers };
      this.#turns.set(workerType, turn);
    }
    for (const event of events) turn.events.push(event);
    return turn.promise;
  }

  close(): void {
    this.#sleeper.stop();
  }

  #flush(): void {
    const turns = this.#turns;
    this.#turns = new Map();
    for (const [workerType, turn] of turns) {
      const writes: Promise<void>[] = [];
      for (let at = 0; at < turn.events.length; at += ENTRY_EVENTS)
        writes.push(this.#write(workerType, turn.events.slice(at, at + ENTRY_EVENTS)));
      Promise.all(writes)
        .finally(() => (this.#pending -= turn.events.length))
        .then(() => turn.resolve(), turn.reject);
    }
  }

  /** Tries until the entry is in the store or the backend is closed: a report lost here is work done twice. */
  async #write(workerType: string, events: readonly WorkerEvent[]): Promise<void> {
    const body = JSON.stringify(events);
    for (let delayMs = 50; ; delayMs = Math.min(delayMs * 2, 2_000)) {
      if (this.#sleeper.isStopped()) throw new QueueClosedError();
      try {
        await this.#writeEntry(workerType, body);
        return;
      } catch (error) {
        if (this.#sleeper.isStopped()) throw new QueueClosedError();
        this.#options.onError(error);
        await this.#sleeper.sleep(delayMs);
      }
    }
  }
}
