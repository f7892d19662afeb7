import { describe, expect, test } from '@jest/globals';
import { decideTicks, type DueTicks } from './decide-ticks.ts';

const hour = (n: number): Date => new Date(Date.UTC(2026, 0, 1, n));
const decide = (change: Partial<DueTicks>): string[] =>
  decideTicks({
    ...{ slots: [hour(1)], more: false, now: new Date(hour(1).getTime() + 400) },
    ...{ overlap: 'skip', missed: 'last', maxCatchUp: 100, running: false, queued: 0 },
    ...change,
  }).map(({ slot, kind, state }) => `${slot.getUTCHours()} ${kind} ${state}`);
const down = { slots: [hour(1), hour(2), hour(3)], now: new Date(hour(3).getTime() + 600_000) };
const back = { ...down, now: new Date(hour(3).getTime() + 1000) };

describe('a slot that is due now', () => {
  test('fires', () => {
    expect(decide({})).toEqual(['1 due fired']);
  });

  test('meets an order that still runs as the overlap policy says', () => {
    expect(decide({ running: true, overlap: 'skip' })).toEqual(['1 due skipped']);
    expect(decide({ running: true, overlap: 'queue' })).toEqual(['1 due queued']);
    expect(decide({ running: true, overlap: 'replace' })).toEqual(['1 due fired']);
    expect(decide({ running: true, overlap: 'allow' })).toEqual(['1 due fired']);
  });

  test('does not overtake those that wait', () => {
    expect(decide({ queued: 1, overlap: 'queue' })).toEqual(['1 due queued']);
    expect(decide({ queued: 1, overlap: 'skip' })).toEqual(['1 due skipped']);
  });

  test('is left out when too many wait', () => {
    expect(decide({ queued: 1000, overlap: 'queue' })).toEqual(['1 due skipped']);
  });
});

describe('slots that were missed', () => {
  test('are lost, or the newest is made up for, or all', () => {
    expect(decide({ ...down, missed: 'none' })).toEqual([
      '1 catch-up missed',
      '2 catch-up missed',
      '3 catch-up missed',
    ]);
    expect(decide({ ...down, missed: 'last' })).toEqual(['1 catch-up missed', '2 catch-up missed', '3 catch-up fired']);
    expect(decide({ ...down, missed: 'all', overlap: 'allow' })).toEqual([
      '1 catch-up fired',
      '2 catch-up fired',
      '3 catch-up fired',
    ]);
  });

  test('a slot that is on time fires whatever the policy; with `last` it stands for those before it', () => {
    expect(decide({ ...back, missed: 'none' })).toEqual(['1 catch-up missed', '2 catch-up missed', '3 due fired']);
    expect(decide({ ...back, missed: 'last' })).toEqual(['1 catch-up missed', '2 catch-up missed', '3 due fired']);
  });

  test('the newest of them are made up for when there are more than the bound', () => {
    expect(decide({ ...down, missed: 'all', overlap: 'allow', maxCatchUp: 2 })).toEqual([
      '1 catch-up missed',
      '2 catch-up fired',
      '3 catch-up fired',
    ]);
  });

  test('run one after the other, unless orders may overlap or replace each other', () => {
    const queue = ['1 catch-up fired', '2 catch-up queued', '3 due queued'];
    expect(decide({ ...back, missed: 'all', overlap: 'skip' })).toEqual(queue);
    expect(decide({ ...back, missed: 'all', overlap: 'queue' })).toEqual(queue);
    expect(decide({ ...back, missed: 'all', overlap: 'replace' })).toEqual([
      '1 catch-up replaced',
      '2 catch-up replaced',
      '3 due fired',
    ]);
    expect(decide({ ...down, missed: 'all', overlap: 'skip', running: true })).toEqual([
      '1 catch-up skipped',
      '2 catch-up skipped',
      '3 catch-up skipped',
    ]);
  });

  test('the oldest one that is told says that there are older ones', () => {
    const due = { ...down, overlap: 'skip', missed: 'none', maxCatchUp: 1, running: false, queued: 0 } as const;
    const reasons = decideTicks({ ...due, more: true }).map((tick) => 'reason' in tick && tick.reason);
    expect(reasons[0]).toBe(
      'nothing looked at it in time; missed slots are not made up for; so were all slots before it',
    );
    expect(reasons[1]).toBe('nothing looked at it in time; missed slots are not made up for');
  });
});
