import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type OrderId, type ProfileId, type ScheduleId } from '@connecta/contracts';
import { createLogger } from '@connecta/runtime';
import { createSchedule, findSchedule, listTicks, queueTicks, type ScheduleContent } from '@connecta/store';
import { ScheduleStage } from '../src/schedule/scheduleStage.ts';
import { Harness } from './harness.ts';

/** Schedules without workers: the stage's own turns, under a clock that the test holds in its hand. */
describe('schedules', () => {
  let harness: Harness;
  let now: Date;
  let id: ScheduleId;
  let profileId: ProfileId;

  beforeAll(async () => {
    harness = await Harness.start();
    profileId = newId<ProfileId>();
    const profile = { workerType: 'scripted', id: profileId, name: 'x', function: 'x', revision: 1 };
    await harness.store.prisma.profile.create({ data: profile });
  });
  afterAll(() => harness.close());
  beforeEach(() => {
    now = new Date('2026-03-01T00:00:00Z');
  });
  afterEach(async () => {
    await harness.store.prisma.schedule.deleteMany();
    await harness.store.prisma.order.deleteMany();
  });

  const log = createLogger({ name: 'schedules', level: 'fatal' });
  const replica = (): ScheduleStage =>
    new ScheduleStage({ store: harness.parts().store, log, now: () => Promise.resolve(now) });
  const at = (text: string): Date => new Date(text);
  const make = async (change: Partial<ScheduleContent>, nextAt: string): Promise<void> => {
    const content: ScheduleContent = {
      ...{ name: 's', description: null, times: { cron: '0 * * * *', timeZone: 'UTC' } },
      ...{ order: { client: 'tester', tasks: ['scripted/x'], input: 1, params: { a: 1 } } },
      ...{ overlap: 'allow', missed: 'last', maxCatchUp: 100, paused: false },
      ...change,
    };
    const made = await createSchedule(harness.store, { content, nextAt: at(nextAt), createdBy: 'test' });
    id = made.schedule.id;
  };
  const ticks = async (): Promise<string[]> =>
    (await listTicks(harness.store, { scheduleId: id, before: undefined, state: undefined, limit: 1000 }))
      .map(({ slot, kind, state }) => `${slot.toISOString().slice(5, 16)} ${kind} ${state}`)
      .reverse();
  const orders = () => harness.store.prisma.order.findMany({ orderBy: { id: 'asc' } });
  const end = (orderId: string | undefined) =>
    harness.store.prisma.order.update({ where: { id: orderId ?? '' }, data: { state: 'completed' } });

  test('a slot that has come places the order, with its time, and the schedule goes on to the next', async () => {
    await make({}, '2026-03-01T00:00:00Z');
    now = at('2026-03-01T00:00:00.400Z');
    await replica().tick();
    await replica().tick();
    expect(await ticks()).toEqual(['03-01T00:00 due fired']);
    const [order, ...others] = await orders();
    expect(others).toEqual([]);
    expect(order).toMatchObject({
      ...{ state: 'accepted', input: 1, createdBy: 'schedule:s', clientId: harness.clientId },
      params: { a: 1, scheduledAt: '2026-03-01T00:00:00.000Z' },
    });
    expect((await findSchedule(harness.store, id))?.nextAt).toEqual(at('2026-03-01T01:00:00Z'));
  });

  test('three replicas that look at once, again and again, fire each slot once', async () => {
    await make({}, '2026-03-01T00:00:00Z');
    const replicas = [replica(), replica(), replica()];
    for (let hour = 0; hour < 8; hour++) {
      now = new Date(Date.UTC(2026, 2, 1, hour, 0, 1));
      await Promise.all(replicas.flatMap((stage) => [stage.tick(), stage.tick()]));
    }
    expect(await ticks()).toHaveLength(8);
    const slots = (await orders()).map(({ params }) => (params as { scheduledAt: string }).scheduledAt);
    expect(new Set(slots).size).toBe(8);
    expect(slots).toHaveLength(8);
  });

  test('after 24 hours down the policy says what is made up for', async () => {
    const back = at('2026-03-02T00:10:00Z');
    for (const [missed, fired] of [
      ['none', 0],
      ['last', 1],
      ['all', 24],
    ] as const) {
      await make({ name: missed, missed }, '2026-03-01T01:00:00Z');
      now = back;
      await Promise.all([replica().tick(), replica().tick(), replica().tick()]);
      const told = await ticks();
      expect([missed, told.length]).toEqual([missed, 24]);
      expect(told.filter((tick) => tick.endsWith('catch-up fired'))).toHaveLength(fired);
      expect(told.filter((tick) => tick.endsWith('missed'))).toHaveLength(24 - fired);
    }
    expect(await orders()).toHaveLength(25);
  });

  test('what is made up for is bounded; of the rest the newest have ticks and one tells of all before', async () => {
    const times = { every: '1m', anchor: '2026-03-01T00:00:00.000Z' };
    await make({ times, missed: 'all', maxCatchUp: 3 }, '2026-03-01T00:00:00Z');
    now = at('2026-03-11T00:00:40Z');
    await replica().tick();
    const told = await ticks();
    expect(told).toHaveLength(101);
    expect(told.slice(-3)).toEqual([
      '03-10T23:58 catch-up fired',
      '03-10T23:59 catch-up fired',
      '03-11T00:00 catch-up fired',
    ]);
    const [oldest] = await listTicks(harness.store, {
      ...{ scheduleId: id, before: at('2026-03-10T22:21:00Z'), state: 'missed', limit: 1 },
    });
    expect(oldest?.reason).toContain('so were all slots before it');
  });

  test('over the change of clocks a daily slot fires each day once', async () => {
    const times = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    await make({ times, missed: 'all' }, '2026-03-28T01:30:00Z');
    now = at('2026-03-30T12:00:00Z');
    await replica().tick();
    expect(await ticks()).toEqual([
      '03-28T01:30 catch-up fired',
      '03-29T01:00 catch-up fired',
      '03-30T00:30 catch-up fired',
    ]);
    expect((await findSchedule(harness.store, id))?.nextAt).toEqual(at('2026-03-31T00:30:00Z'));
  });

  test('while an order runs, slots are skipped, wait, or take its place', async () => {
    await make({ overlap: 'skip' }, '2026-03-01T00:00:00Z');
    for (const hour of [0, 1]) {
      now = new Date(Date.UTC(2026, 2, 1, hour));
      await replica().tick();
    }
    await end((await orders())[0]?.id);
    now = at('2026-03-01T02:00:00Z');
    await replica().tick();
    expect(await ticks()).toEqual(['03-01T00:00 due fired', '03-01T01:00 due skipped', '03-01T02:00 due fired']);
  });

  test('queued slots fire one after the other, oldest first, each when the one before has ended', async () => {
    await make({ overlap: 'queue', missed: 'all' }, '2026-03-01T00:00:00Z');
    now = at('2026-03-01T02:00:00Z');
    await replica().tick();
    expect(await ticks()).toEqual([
      '03-01T00:00 catch-up fired',
      '03-01T01:00 catch-up queued',
      '03-01T02:00 due queued',
    ]);
    for (const placed of [2, 3]) {
      await end((await orders()).at(-1)?.id);
      await Promise.all([replica().tick(), replica().tick()]);
      expect(await orders()).toHaveLength(placed);
    }
    expect((await ticks()).filter((tick) => tick.endsWith('fired'))).toHaveLength(3);
  });

  test('a slot that replaces cancels the order before it', async () => {
    await make({ overlap: 'replace' }, '2026-03-01T00:00:00Z');
    for (const hour of [0, 1]) {
      now = new Date(Date.UTC(2026, 2, 1, hour));
      await replica().tick();
    }
    expect(await ticks()).toEqual(['03-01T00:00 due replaced', '03-01T01:00 due fired']);
    expect((await orders()).map(({ state }) => state)).toEqual(['cancelled', 'accepted']);
  });

  test('an order that is refused makes its tick fail, and the schedule shows why until one succeeds', async () => {
    await make({ order: { client: 'tester', tasks: ['scripted/gone'] } }, '2026-03-01T00:00:00Z');
    await replica().tick();
    expect(await ticks()).toEqual(['03-01T00:00 due failed']);
    expect((await findSchedule(harness.store, id))?.problem?.code).toBe('unknown_task');
    const profile = { workerType: 'scripted', id: newId<ProfileId>(), name: 'gone', function: 'x', revision: 1 };
    await harness.store.prisma.profile.create({ data: profile });
    now = at('2026-03-01T01:00:00Z');
    await replica().tick();
    expect((await ticks())[1]).toBe('03-01T01:00 due fired');
    expect((await findSchedule(harness.store, id))?.problem).toBeNull();
  });

  test('a schedule that cannot be read keeps no other from its slots', async () => {
    await make({ name: 'broken', times: { cron: '0 * * * *', timeZone: 'Mars/Base' } }, '2026-02-01T00:00:00Z');
    const broken = id;
    await make({}, '2026-03-01T00:00:00Z');
    await replica().tick();
    expect(await ticks()).toEqual(['03-01T00:00 due fired']);
    expect(await findSchedule(harness.store, broken)).toMatchObject({
      nextAt: null,
      problem: { code: 'invalid_schedule' },
    });
  });

  test('backfilled slots run when nothing else of the schedule does, and never twice', async () => {
    await make({ overlap: 'skip' }, '2026-04-01T00:00:00Z');
    const slots = [at('2026-02-01T00:00:00Z'), at('2026-02-01T01:00:00Z')];
    expect(await queueTicks(harness.store, id, slots, 'test')).toBe(2);
    for (let turn = 0; turn < 4; turn++) {
      await Promise.all([replica().tick(), replica().tick()]);
      await end((await orders()).at(-1)?.id);
    }
    expect(await queueTicks(harness.store, id, slots, 'test')).toBe(0);
    expect(await ticks()).toEqual(['02-01T00:00 backfill fired', '02-01T01:00 backfill fired']);
    expect(await orders()).toHaveLength(2);
  });

  test('a replica that dies before the commit leaves the slot to the next', async () => {
    await make({}, '2026-03-01T00:00:00Z');
    const stage = replica();
    await harness.store.pool.query(`ALTER TABLE orders ADD CONSTRAINT broken CHECK (created_by <> 'schedule:s')`);
    await stage.tick();
    expect([await ticks(), await orders()]).toEqual([[], []]);
    await harness.store.pool.query('ALTER TABLE orders DROP CONSTRAINT broken');
    await replica().tick();
    expect([await ticks(), (await orders()).length]).toEqual([['03-01T00:00 due fired'], 1]);
  });

  test('whole orchestrators, three of them, fire by the database clock while no worker is up', async () => {
    for (const _ of [1, 2, 3]) await harness.orchestrator();
    const start = new Date(Date.now() - 500);
    const times = { every: '1s', anchor: start.toISOString() };
    await make({ times }, start.toISOString());
    const placed = async (): Promise<OrderId[]> => (await orders()).map((order) => order.id as OrderId);
    for (const until = Date.now() + 20_000; (await placed()).length < 3 && Date.now() < until;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await harness.store.prisma.schedule.update({ where: { id }, data: { paused: true, revision: 2 } });
    const fired = (await ticks()).filter((tick) => tick.endsWith('fired'));
    expect(fired.length).toBeGreaterThanOrEqual(3);
    expect(await placed()).toHaveLength(fired.length);
  });
});
