import { deliveryId, type JobId, type OrderId } from '@connecta/contracts';
import { findJobs, inBatch, lockOrders, type Store } from '@connecta/store';
import type { Command } from './command.ts';

/** What a committed batch leaves to do: send the commands, tell who waits for these orders. */
export interface Outcome {
  commands: Command[];
  changedOrders: OrderId[];
  /** Those of them that go on; any other may have ended. */
  openOrders?: ReadonlySet<OrderId>;
  /** True when who waits for the others was told with the commit. */
  told?: boolean;
  /** Set when orders were accepted that are steps of these. */
  acceptedChildren?: boolean;
  /** Jobs that waited for orders that ended. */
  endedFor?: readonly JobId[];
  /** Jobs with values to be read or written outside of transactions. */
  work?: readonly JobId[];
}

/**
 * Outcomes of batches whose commit was not answered. The database is asked which of their commands stand: those are
 * sent, and no others, for a worker would run what nobody asked for. Forgetting a doubt loses nothing: the reconciler
 * finds attempts that are missing from the queue, only later.
 */
export class Doubts {
  readonly #onDoubt: () => void;
  #open: Outcome[] = [];

  constructor(onDoubt: () => void) {
    this.#onDoubt = onDoubt;
  }

  add(outcome: Outcome): void {
    this.#open.push(outcome);
    this.#onDoubt();
  }

  /** What of the collected outcomes took place. After an error all of them are still in doubt. */
  async settle(store: Store): Promise<Outcome> {
    const doubted = [...this.#open];
    const commands = doubted.flatMap((outcome) => outcome.commands);
    const changedOrders = [...new Set(doubted.flatMap((outcome) => outcome.changedOrders))];
    if (changedOrders.length === 0) return { commands: [], changedOrders };
    const standing = await this.#standing(store, commands, changedOrders);
    this.#open = this.#open.filter((outcome) => !doubted.includes(outcome));
    return {
      commands: commands.filter(({ job, attempt }) => standing.has(deliveryId(job.id, attempt))),
      changedOrders,
    };
  }

  /** Asked under the orders' locks: the commit in doubt may still be under way, and holds them until it is decided. */
  async #standing(store: Store, commands: readonly Command[], orderIds: readonly OrderId[]): Promise<Set<string>> {
    return inBatch(store, async (batch) => {
      const [, jobs] = await Promise.all([
        lockOrders(batch, orderIds),
        findJobs(
          batch,
          commands.map(({ job }) => job.id),
        ),
      ]);
      await batch.commit([]);
      return new Set(jobs.filter(({ state }) => state === 'invoked').map(({ id, attempt }) => deliveryId(id, attempt)));
    });
  }
}
