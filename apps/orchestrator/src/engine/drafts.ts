import type { JobError, OrderId } from '@connecta/contracts';
import { compilePlan } from '@connecta/domain';
import {
  CommitUnknown,
  findResults,
  moveJobs,
  writeOrders,
  type Batch,
  type LockedOrder,
  type Store,
} from '@connecta/store';
import { Draft } from './draft/draft.ts';
import type { EngineDefaults } from './defaults.ts';
import type { Doubts, Outcome } from './outcome.ts';
import type { PlanCache } from './planCache.ts';

/** What every stage of the built-in engine works with. */
export interface EngineParts {
  store: Store;
  plans: PlanCache;
  doubts: Doubts;
  /** What holds where neither a step nor its function says anything else. */
  defaults: EngineDefaults;
}

/** The drafts of one batch: one for each order that it holds locked. */
export class Drafts {
  readonly #parts: EngineParts;
  readonly #drafts = new Map<OrderId, Draft>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Orders whose plan cannot be read get no draft: they must not stop the others. */
  async open(orders: readonly LockedOrder[]): Promise<void> {
    const plans = await this.#parts.plans.load(orders.map((order) => order.planId));
    for (const order of orders) {
      const plan = plans.get(order.planId);
      if (plan) this.#drafts.set(order.id, new Draft(order, plan));
    }
  }

  get(orderId: OrderId): Draft | undefined {
    return this.#drafts.get(orderId);
  }

  /** Ends an accepted order that cannot be run at all. */
  refuse(order: LockedOrder, error: JobError): void {
    const draft = new Draft(order, compilePlan({ steps: {}, outputs: [] }));
    draft.refuse(error);
    this.#drafts.set(order.id, draft);
  }

  /**
   * Decides what follows, writes everything and commits: two flights, one when no earlier result is needed. `alongside`
   * sends further writes; it is called with the last flight, when the commit sees to their errors.
   */
  async commit(batch: Batch, alongside: () => readonly Promise<unknown>[] = () => []): Promise<Outcome> {
    const drafts = [...this.#drafts.values()];
    for (const draft of drafts) draft.settle();
    const wanted = drafts.flatMap((draft) => draft.missingResults().map((step) => ({ orderId: draft.order.id, step })));
    if (wanted.length > 0) {
      for (const { orderId, step, result } of await findResults(batch, wanted))
        this.get(orderId)?.addResult(step, result);
    }
    for (const draft of drafts) draft.conclude();
    const changed = drafts.filter((draft) => draft.events.length > 0);
    const outcome = {
      commands: changed.flatMap((draft) => draft.commands),
      changedOrders: changed.map((draft) => draft.order.id),
      openOrders: new Set(changed.filter((draft) => draft.write.state === 'active').map((draft) => draft.order.id)),
    };
    try {
      await batch.commit([...alongside(), ...write(batch, changed)]);
    } catch (error) {
      if (error instanceof CommitUnknown) this.#parts.doubts.add(outcome);
      throw error;
    }
    return outcome;
  }
}

function write(batch: Batch, changed: readonly Draft[]): Promise<unknown>[] {
  if (changed.length === 0) return [];
  const orders = changed.map((draft) => draft.write);
  const history = changed.map(({ order, events }) => ({ orderId: order.id, seq: order.version + 1, events }));
  const jobs = changed.flatMap((draft) => draft.newJobs);
  const moves = changed.flatMap((draft) => draft.moves);
  const writes = [writeOrders(batch, { orders, history, jobs })];
  if (moves.length > 0) writes.push(moveJobs(batch, moves));
  return writes;
}
