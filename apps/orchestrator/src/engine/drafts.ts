import type { OrderId } from '@connecta/contracts';
import {
  appendHistory,
  findResults,
  insertJobs,
  moveJobs,
  writeOrders,
  type Batch,
  type LockedOrder,
} from '@connecta/store';
import type { Command } from './command.ts';
import { Draft } from './draft.ts';
import type { PlanCache } from './planCache.ts';

/** What a committed batch leaves to do: send the commands, tell who waits for these orders. */
export interface Outcome {
  commands: Command[];
  changedOrders: OrderId[];
}

/** The drafts of one batch: one for each order that it holds locked. */
export class Drafts {
  readonly #plans: PlanCache;
  readonly #drafts = new Map<OrderId, Draft>();

  constructor(plans: PlanCache) {
    this.#plans = plans;
  }

  async open(orders: readonly LockedOrder[]): Promise<void> {
    await this.#plans.load(orders.map((order) => order.planId));
    for (const order of orders) this.#drafts.set(order.id, new Draft(order, this.#plans.get(order.planId)));
  }

  get(orderId: OrderId): Draft | undefined {
    return this.#drafts.get(orderId);
  }

  /** Decides what follows, writes everything and commits: two flights, one when no earlier result is needed. */
  async commit(batch: Batch, alongside: readonly Promise<unknown>[] = []): Promise<Outcome> {
    const drafts = [...this.#drafts.values()];
    for (const draft of drafts) draft.settle();
    const wanted = drafts.flatMap((draft) => draft.missingResults().map((step) => ({ orderId: draft.order.id, step })));
    if (wanted.length > 0) {
      for (const { orderId, step, result } of await findResults(batch, wanted))
        this.get(orderId)?.addResult(step, result);
    }
    for (const draft of drafts) draft.conclude();
    const changed = drafts.filter((draft) => draft.events.length > 0);
    const newJobs = changed.flatMap((draft) => draft.newJobs);
    const moves = changed.flatMap((draft) => draft.moves);
    const last: Promise<unknown>[] = [...alongside];
    if (changed.length > 0) {
      last.push(
        writeOrders(
          batch,
          changed.map((draft) => draft.write),
        ),
        appendHistory(
          batch,
          changed.map(({ order, events }) => ({ orderId: order.id, seq: order.version + 1, events })),
        ),
      );
    }
    if (newJobs.length > 0) last.push(insertJobs(batch, newJobs));
    if (moves.length > 0) last.push(moveJobs(batch, moves));
    await batch.commit(last);
    return {
      commands: changed.flatMap((draft) => draft.commands),
      changedOrders: changed.map((draft) => draft.order.id),
    };
  }
}
