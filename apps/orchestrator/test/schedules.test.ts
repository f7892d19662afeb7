import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { findSchedule, listTicks } from '@connecta/store';
import { newId, type OrderId } from '@connecta/contracts';
import { ScheduleWorld, at } from './schedule-world.ts';

describe('schedules', () => {
  let world: ScheduleWorld;
  beforeAll(async () => {
    world = await ScheduleWorld.start();
  });
  afterAll(() => world.close());
  afterEach(() => world.clear());

  test('a slot that has come places the order, with its time, and the schedule goes on to the next', async () => {
    await world.make({}, '2026-03-01T00:00:00Z');
    world.now = at('2026-03-01T00:00:00.400Z');
    await world.replica().tick();
    await world.replica().tick();
    expect(await world.ticks()).toEqual(['03-01T00:00 due fired']);
    const [order, ...others] = await world.orders();
    expect(others).toEqual([]);
    expect(order).toMatchObject({
      ...{ state: 'accepted', input: 1, createdBy: 'schedule:s', clientId: world.harness.clientId },
      params: { a: 1, scheduledAt: '2026-03-01T00:00:00.000Z' },
    });
    expect((await findSchedule(world.store, world.id))?.nextAt).toEqual(at('2026-03-01T01:00:00Z'));
  });

  test('a blob that it names lasts as long as the schedule does, whatever its time was', async () => {
    const blob = {
      id: newId(),
      ownerClientId: world.harness.clientId,
      state: 'ready',
      size: 1,
      sha256: '0'.repeat(64),
    };
    const { id } = await world.store.prisma.blob.create({
      data: { ...blob, mediaType: 'text/plain', createdBy: 'test', expiresAt: new Date(0) },
    });
    const order = { client: 'tester', tasks: ['scripted/x'], blobId: id };
    await world.make({ order }, '2026-03-01T00:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual(['03-01T00:00 due fired']);
    expect(await world.orders()).toMatchObject([{ input: { blobId: id } }]);
  });

  test('three replicas that look at once, again and again, fire each slot once', async () => {
    await world.make({}, '2026-03-01T00:00:00Z');
    const replicas = [world.replica(), world.replica(), world.replica()];
    for (let hour = 0; hour < 8; hour++) {
      world.now = new Date(Date.UTC(2026, 2, 1, hour, 0, 1));
      await Promise.all(replicas.flatMap((stage) => [stage.tick(), stage.tick()]));
    }
    expect(await world.ticks()).toHaveLength(8);
    const slots = (await world.orders()).map(({ params }) => (params as { scheduledAt: string }).scheduledAt);
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
      await world.make({ name: missed, missed }, '2026-03-01T01:00:00Z');
      world.now = back;
      await Promise.all([world.replica().tick(), world.replica().tick(), world.replica().tick()]);
      const told = await world.ticks();
      expect([missed, told.length]).toEqual([missed, 24]);
      expect(told.filter((tick) => tick.endsWith('catch-up fired'))).toHaveLength(fired);
      expect(told.filter((tick) => tick.endsWith('missed'))).toHaveLength(24 - fired);
    }
    expect(await world.orders()).toHaveLength(25);
  });

  test('what is made up for is bounded; of the rest the newest have ticks and one tells of all before', async () => {
    const times = { every: '1m', anchor: '2026-03-01T00:00:00.000Z' };
    await world.make({ times, missed: 'all', maxCatchUp: 3 }, '2026-03-01T00:00:00Z');
    world.now = at('2026-03-11T00:00:40Z');
    await world.replica().tick();
    const told = await world.ticks();
    expect(told).toHaveLength(101);
    expect(told.slice(-3)).toEqual([
      '03-10T23:58 catch-up fired',
      '03-10T23:59 catch-up fired',
      '03-11T00:00 catch-up fired',
    ]);
    const [oldest] = await listTicks(world.store, {
      ...{ scheduleId: world.id, before: at('2026-03-10T22:21:00Z'), state: 'missed', limit: 1 },
    });
    expect(oldest?.reason).toContain('so were all slots before it');
  });

  test('over the change of clocks a daily slot fires each day once', async () => {
    const times = { cron: '30 2 * * *', timeZone: 'Europe/Berlin' };
    await world.make({ times, missed: 'all' }, '2026-03-28T01:30:00Z');
    world.now = at('2026-03-30T12:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual([
      '03-28T01:30 catch-up fired',
      '03-29T01:00 catch-up fired',
      '03-30T00:30 catch-up fired',
    ]);
    expect((await findSchedule(world.store, world.id))?.nextAt).toEqual(at('2026-03-31T00:30:00Z'));
  });

  test('those that fail again and again rest, say so, and leave the turn to others', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `bad-${i}`);
    for (const name of names) await world.make({ name }, '2026-02-28T23:00:00Z');
    const bad = world.id;
    await world.make({}, '2026-03-01T00:00:00Z');
    await world.store.pool.query(
      `ALTER TABLE orders ADD CONSTRAINT broken CHECK (created_by NOT LIKE 'schedule:bad%')`,
    );
    const stage = world.replica();
    expect(await stage.tick()).toBe(true);
    expect(await stage.tick()).toBe(false);
    expect(await world.ticks()).toEqual(['03-01T00:00 due fired']);
    expect((await findSchedule(world.store, bad))?.problem?.code).toBe('internal');
    await world.store.pool.query('ALTER TABLE orders DROP CONSTRAINT broken');
    world.now = at('2026-03-01T00:00:02Z');
    await stage.tick();
    expect((await findSchedule(world.store, bad))?.problem).toBeNull();
  });

  test('an order that is refused makes its tick fail, and the schedule shows why until one succeeds', async () => {
    await world.make({ order: { client: 'tester', tasks: ['scripted/gone'] } }, '2026-03-01T00:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual(['03-01T00:00 due failed']);
    expect((await findSchedule(world.store, world.id))?.problem?.code).toBe('unknown_task');
    await world.addProfile('gone');
    world.now = at('2026-03-01T01:00:00Z');
    await world.replica().tick();
    expect((await world.ticks())[1]).toBe('03-01T01:00 due fired');
    expect((await findSchedule(world.store, world.id))?.problem).toBeNull();
  });

  test('a schedule that cannot be read keeps no other from its slots', async () => {
    await world.make({ name: 'broken', times: { cron: '0 * * * *', timeZone: 'Mars/Base' } }, '2026-02-01T00:00:00Z');
    const broken = world.id;
    await world.make({}, '2026-03-01T00:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual(['03-01T00:00 due fired']);
    expect(await findSchedule(world.store, broken)).toMatchObject({
      nextAt: null,
      problem: { code: 'invalid_schedule' },
    });
  });

  test('a replica that dies before the commit leaves the slot to the next', async () => {
    await world.make({}, '2026-03-01T00:00:00Z');
    const stage = world.replica();
    await world.store.pool.query(`ALTER TABLE orders ADD CONSTRAINT broken CHECK (created_by <> 'schedule:s')`);
    await stage.tick();
    expect([await world.ticks(), await world.orders()]).toEqual([[], []]);
    await world.store.pool.query('ALTER TABLE orders DROP CONSTRAINT broken');
    await world.replica().tick();
    expect([await world.ticks(), (await world.orders()).length]).toEqual([['03-01T00:00 due fired'], 1]);
  });

  test('whole orchestrators, three of them, fire by the database clock while no worker is up', async () => {
    for (const _ of [1, 2, 3]) await world.harness.orchestrator();
    const start = new Date(Date.now() - 500);
    const times = { every: '1s', anchor: start.toISOString() };
    await world.make({ times }, start.toISOString());
    const placed = async (): Promise<OrderId[]> => (await world.orders()).map((order) => order.id as OrderId);
    for (const until = Date.now() + 20_000; (await placed()).length < 3 && Date.now() < until;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await world.store.prisma.schedule.update({ where: { id: world.id }, data: { paused: true, revision: 2 } });
    const fired = (await world.ticks()).filter((tick) => tick.endsWith('fired'));
    expect(fired.length).toBeGreaterThanOrEqual(3);
    expect(await placed()).toHaveLength(fired.length);
  });
});
