import { Problem, type ProblemDocument } from '@connecta/contracts';
import { compileTimes, decideTicks, newestSlots, nextSlot, type Slots, type TickDecision } from '@connecta/domain';
import { createIntake, prepareScheduled, type Intake } from '@connecta/intake';
import { continueTrace, formatTraceparent, type Logger } from '@connecta/runtime';
import {
  cancelWithChildren,
  findDueSchedules,
  findQueuedSlots,
  findReplacedOrders,
  findWaitingSchedules,
  fireQueuedTick,
  readClock,
  recordTicks,
  settleTicks,
  tellScheduleProblem,
  type NewOrder,
  type NewTick,
  type Schedule,
  type ScheduleNow,
  type Store,
  type WaitingSchedule,
} from '@connecta/store';
import { Rests } from './rests.ts';

/** The most schedules that one turn looks at, and the most waiting ticks of one schedule that it fires. */
const LIMIT = 100;
/** So many missed slots have ticks of their own, older ones share one; more where more are made up for. */
const LEAST_TOLD = 100;

export interface ScheduleStageOptions {
  store: Store;
  log: Logger;
  /** The clock; the database's by default. */
  now?: (() => Promise<Date>) | undefined;
}

/**
 * Places the orders of schedules whose slots have come. A slot's tick and its order are one transaction, which names what
 * it was decided from: any number of replicas may do so at once, each slot fires once, and what a dead one had not yet
 * committed is decided again.
 */
export class ScheduleStage {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #now: () => Promise<Date>;
  readonly #intake: Intake;
  readonly #rests = new Rests();

  constructor({ store, log, now }: ScheduleStageOptions) {
    this.#store = store;
    this.#log = log;
    this.#now = now ?? (() => readClock(store));
    this.#intake = createIntake({
      store,
      storeValue: () => {
        throw new Problem('too_large', "A schedule's input that is too large for the database stands in a blob");
      },
    });
  }

  /** One turn; true: there may be more to do. */
  async tick(): Promise<boolean> {
    const store = this.#store;
    await settleTicks(store);
    const now = await this.#now();
    const except = this.#rests.resting(now);
    const due = await findDueSchedules(store, now, { limit: LIMIT, except });
    for (const schedule of due) await this.#apart(schedule, now, () => this.#fireDue(schedule, now));
    const waiting = await findWaitingSchedules(store, { limit: LIMIT, except });
    for (const schedule of waiting) await this.#apart(schedule, now, () => this.#fireWaiting(schedule));
    for (const id of await findReplacedOrders(store, LIMIT)) {
      await cancelWithChildren(store, id, 'a later slot of its schedule');
    }
    return due.length >= LIMIT;
  }

  /** A schedule that fails must not keep the others from their slots: it rests before it is tried again. */
  async #apart({ id, name }: Schedule, now: Date, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#rests.clear(id);
    } catch (error) {
      const until = this.#rests.rest(id, now);
      this.#log.error({ err: error, schedule: name, scheduleId: id, until }, 'a schedule could not be fired');
      const text = `The schedule could not be looked at; that is tried again at ${until.toISOString()}`;
      await tellScheduleProblem(this.#store, id, new Problem('internal', text).toDocument());
    }
  }

  async #fireDue(schedule: ScheduleNow, now: Date): Promise<void> {
    const nextAt = schedule.nextAt as Date;
    const guard = { id: schedule.id, revision: schedule.revision, nextAt };
    const slots = slotsOf(schedule);
    if ('problem' in slots) {
      const written = { ticks: [], nextAt: null, replaces: false, problem: slots.problem };
      await recordTicks(this.#store, guard, written);
      return;
    }
    const due = newestSlots(slots, nextAt, now, Math.max(LEAST_TOLD, schedule.maxCatchUp) + 1);
    const { running, queued } = schedule;
    const decisions =
      due.slots.length === 0 ? [] : decideTicks({ ...schedule, ...due, now, running: running > 0, queued });
    const ticks = await this.#ordersOf(schedule, decisions);
    const problem = ticks.find((tick) => tick.problem)?.problem ?? null;
    const replaces = schedule.overlap === 'replace' && ticks.some(({ order }) => order);
    const written = { ticks, nextAt: nextSlot(slots, now), replaces, problem };
    if (!(await recordTicks(this.#store, guard, written))) return;
    for (const { slot, kind, state, order, reason } of ticks) {
      const fields = {
        schedule: schedule.name,
        scheduleId: schedule.id,
        slot,
        kind,
        state,
        orderId: order?.id,
        reason,
      };
      this.#log.info(fields, 'a slot of a schedule was decided');
    }
  }

  async #fireWaiting(schedule: WaitingSchedule): Promise<void> {
    const limit = schedule.overlap === 'allow' ? LIMIT : 1;
    const slots = await findQueuedSlots(this.#store, schedule, limit);
    const orders = await this.#prepare(schedule, slots);
    for (const [i, slot] of slots.entries()) {
      const made = orders[i] as NewOrder | Problem;
      const outcome = made instanceof Problem ? { problem: made.toDocument() } : { order: made };
      if (!(await fireQueuedTick(this.#store, schedule.id, { slot, ...outcome }))) continue;
      const fields = { schedule: schedule.name, scheduleId: schedule.id, slot, ...outcome };
      this.#log.info(fields, 'a slot of a schedule that had waited was decided');
    }
  }

  /** The decisions with the orders of those that fire; an order that intake refuses makes its tick fail. */
  async #ordersOf(schedule: ScheduleNow, decisions: readonly TickDecision[]): Promise<NewTick[]> {
    const fired = decisions.filter(({ state }) => state === 'fired').map(({ slot }) => slot);
    const made = await this.#prepare(schedule, fired);
    const orders = new Map(fired.map((slot, i) => [slot, made[i] as NewOrder | Problem]));
    return decisions.map((tick): NewTick => {
      const order = orders.get(tick.slot);
      if (order instanceof Problem) return { ...tick, state: 'failed', problem: order.toDocument() };
      return { ...tick, order };
    });
  }

  #prepare(schedule: Schedule, slots: readonly Date[]): Promise<(NewOrder | Problem)[]> {
    const newTraceparent = (): string => formatTraceparent(continueTrace(undefined));
    return prepareScheduled({ store: this.#store, intake: this.#intake, newTraceparent }, schedule, slots);
  }
}

/** What was checked when it was saved may have become wrong since: a time zone that a newer system no longer knows. */
function slotsOf({ times }: Schedule): Slots | { problem: ProblemDocument } {
  const compiled = compileTimes('cron' in times ? times : { every: times.every, anchor: new Date(times.anchor) });
  if (compiled.ok) return compiled.slots;
  const { faults } = compiled;
  return { problem: new Problem('invalid_schedule', 'The schedule is not valid', { faults }).toDocument() };
}
