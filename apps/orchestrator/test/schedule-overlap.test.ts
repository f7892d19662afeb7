import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderId } from '@connecta/contracts';
import { requestRetry } from '@connecta/store';
import { ScheduleWorld, at } from './schedule-world.ts';

describe('slots that meet orders of their schedule', () => {
  let world: ScheduleWorld;
  beforeAll(async () => {
    world = await ScheduleWorld.start();
  });
  afterAll(() => world.close());
  afterEach(() => world.clear());

  test('while an order runs, slots are skipped, wait, or take its place', async () => {
    await world.make({ overlap: 'skip' }, '2026-03-01T00:00:00Z');
    for (const hour of [0, 1]) {
      world.now = new Date(Date.UTC(2026, 2, 1, hour));
      await world.replica().tick();
    }
    await world.end((await world.orders())[0]?.id);
    world.now = at('2026-03-01T02:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual(['03-01T00:00 due fired', '03-01T01:00 due skipped', '03-01T02:00 due fired']);
  });

  test('queued slots fire one after the other, oldest first, each when the one before has ended', async () => {
    await world.make({ overlap: 'queue', missed: 'all' }, '2026-03-01T00:00:00Z');
    world.now = at('2026-03-01T02:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual([
      '03-01T00:00 catch-up fired',
      '03-01T01:00 catch-up queued',
      '03-01T02:00 due queued',
    ]);
    for (const placed of [2, 3]) {
      await world.end((await world.orders()).at(-1)?.id);
      await Promise.all([world.replica().tick(), world.replica().tick()]);
      expect(await world.orders()).toHaveLength(placed);
    }
    expect((await world.ticks()).filter((tick) => tick.endsWith('fired'))).toHaveLength(3);
  });

  test('a slot that replaces cancels the order before it, but none that was asked for by hand', async () => {
    await world.make({ overlap: 'replace' }, '2026-03-01T00:00:00Z');
    await world.queue('2026-02-01T00:00:00Z');
    await world.replica().tick();
    await world.byHand(at('2026-03-01T00:30:00.123Z'));
    world.now = at('2026-03-01T01:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual([
      '02-01T00:00 backfill fired',
      '03-01T00:00 due replaced',
      '03-01T00:30 manual fired',
      '03-01T01:00 due fired',
    ]);
    expect((await world.orders()).map(({ state }) => state).sort()).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'cancelled',
    ]);
  });

  test('a slot that has a tick already takes the place of no order', async () => {
    await world.make({ overlap: 'replace' }, '2026-03-01T00:00:00Z');
    await world.replica().tick();
    await world.store.prisma.scheduleTick.create({
      data: { scheduleId: world.id, slot: at('2026-03-01T01:00:00Z'), kind: 'due', state: 'skipped' },
    });
    world.now = at('2026-03-01T01:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual(['03-01T00:00 due fired', '03-01T01:00 due skipped']);
    expect((await world.orders()).map(({ state }) => state)).toEqual(['accepted']);
  });

  test('an order that is asked for at the very time of a slot does not stand for the slot', async () => {
    await world.make({}, '2026-03-01T00:00:00Z');
    const ran = await world.byHand(at('2026-03-01T00:00:00Z'));
    expect(ran).toBe('2026-03-01T00:00:00.001Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual(['03-01T00:00 due fired', '03-01T00:00 manual fired']);
  });

  test('an order that is retried counts as one that runs', async () => {
    await world.make({ overlap: 'skip' }, '2026-03-01T00:00:00Z');
    await world.replica().tick();
    const order = (await world.orders())[0]?.id as OrderId;
    const progress = { x: 'error' };
    await world.store.prisma.order.update({ where: { id: order }, data: { state: 'failed', progress } });
    await world.replica().tick();
    expect((await requestRetry(world.store, order)).outcome).toBe('retried');
    world.now = at('2026-03-01T01:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual(['03-01T00:00 due fired', '03-01T01:00 due skipped']);
  });

  test('backfilled slots run one after the other beside the slots of the clock, and never twice', async () => {
    await world.make({ overlap: 'skip' }, '2026-04-01T00:00:00Z');
    const slots = ['2026-02-01T00:00:00Z', '2026-02-01T01:00:00Z'];
    expect(await world.queue(...slots)).toBe(2);
    for (let turn = 0; turn < 4; turn++) {
      await Promise.all([world.replica().tick(), world.replica().tick()]);
      await world.end((await world.orders()).at(-1)?.id);
    }
    expect(await world.queue(...slots)).toBe(0);
    expect(await world.ticks()).toEqual(['02-01T00:00 backfill fired', '02-01T01:00 backfill fired']);
    expect(await world.orders()).toHaveLength(2);
  });

  test('slots of the clock neither wait for a backfill nor hold it up', async () => {
    await world.make({ overlap: 'skip' }, '2026-03-01T00:00:00Z');
    await world.queue('2026-02-01T00:00:00Z', '2026-02-01T01:00:00Z');
    await world.replica().tick();
    expect(await world.ticks()).toEqual([
      '02-01T00:00 backfill fired',
      '02-01T01:00 backfill queued',
      '03-01T00:00 due fired',
    ]);
    const clocks = (await world.orders()).find(({ params }) => JSON.stringify(params).includes('2026-03-01T00'));
    await world.end(clocks?.id);
    world.now = at('2026-03-01T01:00:00Z');
    await world.replica().tick();
    expect((await world.ticks()).slice(1)).toEqual([
      '02-01T01:00 backfill queued',
      '03-01T00:00 due fired',
      '03-01T01:00 due fired',
    ]);
  });
});
