import { newId, type ProfileId, type ScheduleId } from '@connecta/contracts';
import { createIntake, prepareScheduled } from '@connecta/intake';
import { continueTrace, createLogger, formatTraceparent } from '@connecta/runtime';
import {
  createSchedule,
  fireManualTick,
  listTicks,
  queueTicks,
  type NewOrder,
  type ScheduleContent,
} from '@connecta/store';
import { ScheduleStage } from '../src/schedule/schedule-stage.ts';
import { Harness } from './harness.ts';

export const at = (text: string): Date => new Date(text);

/** Schedules without workers: the stage's own turns, under a clock that the test holds in its hand. */
export class ScheduleWorld {
  now = at('2026-03-01T00:00:00Z');
  /** Of the schedule that was made last. */
  id = newId<ScheduleId>();
  readonly harness: Harness;

  private constructor(harness: Harness) {
    this.harness = harness;
  }

  static async start(): Promise<ScheduleWorld> {
    const world = new ScheduleWorld(await Harness.start());
    await world.addProfile('x');
    return world;
  }

  get store(): Harness['store'] {
    return this.harness.store;
  }

  async addProfile(name: string): Promise<void> {
    const profile = { workerType: 'scripted', id: newId<ProfileId>(), name, function: 'x', revision: 1 };
    await this.store.prisma.profile.create({ data: profile });
  }

  /** A replica that has begun at `now`, and later looks at whatever `now` is then. */
  replica(): ScheduleStage {
    const log = createLogger({ name: 'schedules', level: 'fatal' });
    return new ScheduleStage({ store: this.harness.parts().store, log, now: () => Promise.resolve(this.now) });
  }

  async make(change: Partial<ScheduleContent>, nextAt: string): Promise<void> {
    const content: ScheduleContent = {
      ...{ name: 's', description: null, times: { cron: '0 * * * *', timeZone: 'UTC' } },
      ...{ order: { client: 'tester', tasks: ['scripted/x'], input: 1, params: { a: 1 } } },
      ...{ overlap: 'allow', missed: 'last', maxCatchUp: 100, paused: false },
      ...change,
    };
    const made = await createSchedule(this.store, { content, nextAt: at(nextAt), createdBy: 'test' });
    this.id = made.schedule.id;
  }

  /** What became of its slots, oldest first. */
  async ticks(): Promise<string[]> {
    const page = { scheduleId: this.id, before: undefined, state: undefined, limit: 1000 };
    const ticks = await listTicks(this.store, page);
    return ticks.map(({ slot, kind, state }) => `${slot.toISOString().slice(5, 16)} ${kind} ${state}`).reverse();
  }

  queue(...slots: string[]): Promise<number> {
    return queueTicks(this.store, this.id, slots.map(at), 'test');
  }

  /** Places an order by hand; the slots of the clock are whole hours. */
  async byHand(slot: Date): Promise<string | undefined> {
    const storeValue = (): never => {
      throw new Error('nothing is that large');
    };
    const newTraceparent = (): string => formatTraceparent(continueTrace(undefined));
    const parts = { store: this.store, intake: createIntake({ store: this.store, storeValue }), newTraceparent };
    const schedule = { name: 's', order: { client: 'tester', tasks: ['scripted/x'] } };
    const [order] = await prepareScheduled(parts, schedule, [slot]);
    const isSlot = (time: Date): boolean => time.getTime() % 3_600_000 === 0;
    const fired = await fireManualTick(this.store, this.id, { slot, order: order as NewOrder, by: 'test', isSlot });
    return fired?.slot;
  }

  orders(): Promise<{ id: string; state: string; params: unknown }[]> {
    return this.store.prisma.order.findMany({ orderBy: { id: 'asc' } });
  }

  async end(orderId: string | undefined): Promise<void> {
    await this.store.prisma.order.update({ where: { id: orderId ?? '' }, data: { state: 'completed' } });
  }

  async clear(): Promise<void> {
    this.now = at('2026-03-01T00:00:00Z');
    await this.store.prisma.schedule.deleteMany();
    await this.store.prisma.order.deleteMany();
  }

  close(): Promise<void> {
    return this.harness.close();
  }
}
