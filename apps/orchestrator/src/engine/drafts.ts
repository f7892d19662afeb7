import type { JobError, OrderId } from '@connecta/contracts';
import { compilePlan } from '@connecta/domain';
import {
  CommitUnknown,
  endWaitingJobs,
  findCachedJobs,
  findHeads,
  findOrderInputs,
  findOriginJobs,
  findStepFacts,
  forgetReturnedItems,
  insertChildOrders,
  isTold,
  moveJobs,
  noteRanVersions,
  rememberResults,
  takeToldOrders,
  writeHeads,
  writeOrders,
  writeOtherJobs,
  type Batch,
  type LockedOrder,
  type OrderWrite,
  type OrderWrites,
  type StepFact,
  type Store,
} from '@connecta/store';
import { Draft } from './draft/draft.ts';
import { NOTHING_MISSING } from './draft/following.ts';
import { NO_EXTRAS, type ReadonlyExtras } from './draft/extras.ts';
import type { EngineDefaults } from './defaults.ts';
import type { LeftOrders } from './left-orders.ts';
import type { Doubts, Outcome } from './outcome.ts';
import type { PlanCache } from './plan-cache.ts';

/** What every stage of the built-in engine works with. */
export interface EngineParts {
  store: Store;
  plans: PlanCache;
  doubts: Doubts;
  left: LeftOrders;
  /** What holds where neither a step nor its function says anything else. */
  defaults: EngineDefaults;
}

/** A batch of so many orders is one whose round trips cost more than its statements. */
export const FEW_ORDERS = 8;

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

  /** Opens drafts on plans that are at hand; false: one is not. */
  openKnown(orders: readonly LockedOrder[]): boolean {
    for (const order of orders) {
      const plan = this.#parts.plans.find(order.planId);
      if (!plan) return false;
      this.#drafts.set(order.id, new Draft(order, plan));
    }
    return true;
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
    await this.#countItems(batch, drafts);
    for (const draft of drafts) draft.settle();
    for (let open = drafts; open.length > 0;) {
      await this.#find(batch, open);
      open = open.filter((draft) => draft.decide());
    }
    for (const draft of drafts) draft.conclude();
    const changed = drafts.filter((draft) => draft.events.length > 0);
    const orders = changed.map((draft) => draft.write);
    const outcome = outcomeOf(changed, orders);
    try {
      await batch.commit([...alongside(), ...write(batch, changed, orders)]);
    } catch (error) {
      if (error instanceof CommitUnknown) this.#parts.doubts.add(outcome);
      throw error;
    }
    this.#parts.left.note(changed, FEW_ORDERS);
    return outcome;
  }

  /**
   * Decides what follows for orders that are not locked but told, takes them, writes and commits: in one flight. What
   * somebody else took, or cancelled, is not in the outcome. Null where that takes more than is at hand: nothing is
   * written then.
   */
  async take(): Promise<Outcome | null> {
    const drafts = [...this.#drafts.values()];
    if (drafts.some((draft) => draft.missing() !== NOTHING_MISSING || draft.decide())) return null;
    for (const draft of drafts) draft.conclude();
    if (extrasOf(drafts).length > 0) return null;
    const orders = drafts.map((draft) => draft.write);
    let taken: Set<OrderId>;
    try {
      taken = new Set(await takeToldOrders(this.#parts.store, writesOf(drafts, orders)));
    } catch (error) {
      if (error instanceof CommitUnknown) this.#parts.doubts.add(outcomeOf(drafts, orders));
      throw error;
    }
    const ours = drafts.filter(({ order }) => taken.has(order.id));
    this.#parts.left.note(ours, FEW_ORDERS);
    return outcomeOf(
      ours,
      orders.filter(({ id }) => taken.has(id)),
    );
  }

  /** Tells heads of their items that ended; a batch without any asks nothing. */
  async #countItems(batch: Batch, drafts: readonly Draft[]): Promise<void> {
    const wanted = drafts.flatMap(({ order, endedItemsOf }) =>
      endedItemsOf.map((step) => ({ orderId: order.id, step })),
    );
    if (wanted.length === 0) return;
    for (const head of await findHeads(batch, wanted)) this.get(head.orderId)?.countItems(head);
  }

  /** Reads what the drafts' decisions need, in one flight; none when they need nothing. */
  async #find(batch: Batch, drafts: readonly Draft[]): Promise<void> {
    const missing = drafts
      .map((draft) => ({ draft, wanted: draft.missing() }))
      .filter(({ wanted }) => wanted !== NOTHING_MISSING)
      .map(({ draft, wanted }) => ({ draft, ...wanted }));
    if (missing.length === 0) return;
    const steps = missing.flatMap((one) => one.steps.map((step) => ({ orderId: one.draft.order.id, step })));
    const ids = missing.filter(({ input }) => input).map(({ draft }) => draft.order.id);
    const origins = missing.flatMap(({ draft: { order }, origins: wanted }) =>
      wanted.map((step) => ({ orderId: order.rerunOf as OrderId, step })),
    );
    const fingerprints = missing.flatMap(({ draft: { order }, cached }) =>
      [...cached].map(([fingerprint, ttlMs]) => ({ clientId: order.clientId, fingerprint, ttlMs })),
    );
    const [earlier, held, found, inputs] = await Promise.all([
      origins.length > 0 ? findOriginJobs(batch, origins) : [],
      fingerprints.length > 0 ? findCachedJobs(batch, fingerprints) : [],
      steps.length > 0 ? findStepFacts(batch, steps) : [],
      ids.length > 0 ? findOrderInputs(batch, ids) : [],
    ]);
    const facts = Map.groupBy(found, ({ orderId }) => orderId);
    const inputOf = new Map(inputs.map(({ id, input }) => [id, { value: input }]));
    for (const { draft, ...wanted } of missing) draft.tellEarlier(wanted, earlier, held);
    for (const { draft, steps: wanted } of missing) {
      const own = new Map<string, StepFact>(facts.get(draft.order.id)?.map((fact) => [fact.step, fact]));
      draft.tell(wanted, own, inputOf.get(draft.order.id));
    }
  }
}

function outcomeOf(changed: readonly Draft[], orders: readonly OrderWrite[]): Outcome {
  const ended = changed.filter((_, at) => orders[at]?.state !== 'active');
  const extras = extrasOf(changed);
  const work = extras.flatMap(({ otherJobs, heads }) => [
    ...otherJobs.filter((job) => job.work !== undefined),
    ...heads.filter((head) => head.work !== null),
  ]);
  return {
    commands: changed.flatMap((draft) => draft.commands),
    changedOrders: changed.map((draft) => draft.order.id),
    openOrders: new Set(orders.filter(({ state }) => state === 'active').map(({ id }) => id)),
    told: isTold(orders),
    acceptedChildren: extras.some(({ children }) => children.length > 0),
    endedFor: ended.flatMap(({ order: { parentJobId } }) => parentJobId ?? []),
    work: work.map(({ id }) => id),
  };
}

function write(batch: Batch, changed: readonly Draft[], orders: readonly OrderWrite[]): Promise<unknown>[] {
  if (changed.length === 0) return [];
  const writes = [writeOrders(batch, writesOf(changed, orders))];
  const extras = extrasOf(changed);
  if (extras.length > 0) writes.push(...writeExtras(batch, extras));
  return writes;
}

function writesOf(changed: readonly Draft[], orders: readonly OrderWrite[]): OrderWrites {
  const history = changed.map(({ order, events }) => ({ orderId: order.id, seq: order.version + 1, events }));
  return { orders, history, jobs: changed.flatMap((draft) => draft.newJobs) };
}

const extrasOf = (drafts: readonly Draft[]): ReadonlyExtras[] =>
  drafts.map((draft) => draft.extras).filter((extras) => extras !== NO_EXTRAS);

function writeExtras(batch: Batch, extras: readonly ReadonlyExtras[]): Promise<unknown>[] {
  const writes: Promise<unknown>[] = [];
  const moves = extras.flatMap((each) => each.moves);
  if (moves.length > 0) writes.push(moveJobs(batch, moves));
  const others = extras.flatMap((each) => each.otherJobs);
  if (others.length > 0) writes.push(writeOtherJobs(batch, others));
  const heads = extras.flatMap((each) => each.heads);
  if (heads.length > 0) writes.push(writeHeads(batch, heads));
  const taken = extras.flatMap((each) => each.takenReturns);
  if (taken.length > 0) writes.push(forgetReturnedItems(batch, taken));
  const ends = extras.flatMap((each) => each.waitEnds);
  if (ends.length > 0) writes.push(endWaitingJobs(batch, ends));
  const ranOthers = extras.flatMap((each) => each.ranOthers);
  if (ranOthers.length > 0) writes.push(noteRanVersions(batch, ranOthers));
  const kept = extras.flatMap((each) => each.kept);
  if (kept.length > 0) writes.push(rememberResults(batch, kept));
  const children = extras.flatMap((each) => each.children);
  if (children.length > 0) writes.push(insertChildOrders(batch, children));
  return writes;
}
