import { describe, expect, test } from '@jest/globals';
import { moveSlots, type SlotMove } from './move-slots.ts';
import { compileTimes, type ScheduleTimes, type Slots } from './times.ts';

const hourly: ScheduleTimes = { cron: '0 * * * *', timeZone: 'UTC' };
const compiled = (times: ScheduleTimes): Slots => {
  const result = compileTimes(times);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.slots;
};
const hour = (n: number, ms = 0): Date => new Date(Date.UTC(2026, 0, 1, n, 0, 0, ms));
const move = (change: Partial<SlotMove>): { nextAt: string | undefined; passed: string[] } => {
  const { nextAt, passed } = moveSlots({
    ...{ now: hour(3, 100), nextAt: hour(3), before: hourly, after: compiled(hourly), same: true },
    ...change,
  });
  const told = passed.map((tick) => `${tick.slot.getUTCHours()} ${'reason' in tick ? tick.reason : ''}`);
  return { nextAt: nextAt?.toISOString().slice(11, 16), passed: told };
};

describe('a schedule that is changed', () => {
  const daily = compiled({ cron: '0 4 * * *', timeZone: 'UTC' });

  test('keeps its next slot while its times are the same, also one that is due', () => {
    expect(move({})).toEqual({ nextAt: '03:00', passed: [] });
  });

  test('goes on from now when it had no next slot', () => {
    expect(move({ nextAt: null })).toEqual({ nextAt: '04:00', passed: [] });
  });

  test('tells the slots that were due by its former times', () => {
    const reason = 'the schedule was changed before anything looked at it';
    expect(move({ after: daily, same: false })).toEqual({ nextAt: '04:00', passed: [`3 ${reason}`] });
    expect(move({ after: daily, same: false, nextAt: hour(4) })).toEqual({ nextAt: '04:00', passed: [] });
    const long = move({ after: daily, same: false, nextAt: new Date('2025-12-01T00:00:00Z') });
    expect(long.passed).toHaveLength(100);
    expect(long.passed[0]).toContain('so were all slots before it');
  });

  test('tells the slots that were due when it was paused, and has none any more', () => {
    const reason = 'the schedule was paused before anything looked at it';
    expect(move({ after: null })).toEqual({ nextAt: undefined, passed: [`3 ${reason}`] });
  });

  test('can be mended when its former times are not understood any more', () => {
    const before = { cron: '0 * * * *', timeZone: 'Mars/Base' };
    expect(move({ before, after: daily, same: false })).toEqual({ nextAt: '04:00', passed: [] });
  });
});
