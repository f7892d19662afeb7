import { describe, expect, test } from '@jest/globals';
import type { JsonValue } from '@connecta/contracts';
import type { PlannedForEach, PlannedStep } from '../plan.ts';
import { MAX_ITEMS, MAX_ROUNDS, extendList, isStale } from './extend-list.ts';
import { guardOf, stepOfItem } from './guard.ts';
import { NO_EXTENSION, headWork, type Extension, type ItemCounts } from './head-work.ts';

describe('what a head needs next', () => {
  const forEach: PlannedForEach = { items: 'input', max: 4, onItemError: 'continue' };
  const next = (
    [total, created, done, failed = 0]: [number, number, number, number?],
    extension: Partial<Extension> = {},
    more: Partial<PlannedForEach> = {},
  ) => {
    const counts: ItemCounts = { total, created, done, failed };
    return headWork(counts, { ...NO_EXTENSION, ...extension }, { ...forEach, ...more });
  };

  test('jobs are made when half of those that may be in flight have ended', () => {
    expect(next([10, 4, 1])).toBeNull();
    expect(next([10, 4, 2])).toBe('expand');
  });

  test('results are gathered when all have ended, and at once of an empty list', () => {
    expect(next([3, 3, 2])).toBeNull();
    expect(next([3, 3, 3])).toBe('gather');
    expect(next([0, 0, 0])).toBe('gather');
  });

  test('a failed item fails the step when those in flight have ended, unless the list goes on', () => {
    const fail = { onItemError: 'fail' } as const;
    expect(next([9, 4, 3, 1], {}, fail)).toBeNull();
    expect(next([9, 4, 4, 1], { pending: 1 }, fail)).toBe('fail');
    expect(next([4, 4, 4, 1])).toBe('gather');
  });

  test('the list takes in new items when each of its own has a job', () => {
    expect(next([9, 4, 4], { pending: 1 })).toBe('expand');
    expect(next([4, 4, 1], { pending: 1 })).toBeNull();
    expect(next([4, 4, 2], { pending: 1 })).toBe('extend');
  });

  test('a list that has grown looks for items to be computed again before it is gathered, if any are related', () => {
    const related = { next: '[]' };
    expect(next([4, 4, 4], { rounds: 1 }, { related })).toBe('again');
    expect(next([4, 4, 4], { rounds: 1 })).toBe('gather');
    expect(next([4, 4, 3], { rounds: 1 }, { related })).toBeNull();
    expect(next([9, 9, 7], { rounds: 1, stale: 2 }, { related })).toBe('again');
    expect(next([9, 9, 6], { rounds: 1, stale: 2 }, { related })).toBeNull();
  });
});

describe('a list that grows', () => {
  const grow = (items: JsonValue[], returned: JsonValue[], more: { rounds?: number; keyed?: boolean } = {}) =>
    extendList({
      ...{ items, returned, rounds: more.rounds ?? 0, place: 'steps.a.forEach' },
      keyOf: more.keyed
        ? (item) =>
            typeof item === 'object'
              ? { ok: true, value: (item as { k: string }).k }
              : { ok: false, error: { kind: 'permanent', code: 'expression_failed', message: 'no key' } }
        : null,
    });
  const codeOf = (grown: ReturnType<typeof grow>) => (grown.ok ? null : grown.error.code);

  test('takes in what it does not have, by its key, and each once', () => {
    const items = [{ k: 'a' }, { k: 'b' }];
    const returned = [{ k: 'b', n: 1 }, { k: 'c' }, { k: 'c', n: 2 }];
    expect(grow(items, returned, { keyed: true })).toEqual({ ok: true, value: [{ k: 'c' }] });
  });

  test('without keys takes in what is equal to none, object members in any order', () => {
    const value = [[2], null];
    expect(grow([{ a: 1, b: { c: 1, d: 2 } }, 1], [{ b: { d: 2, c: 1 }, a: 1 }, 1, ...value, [2]])).toEqual({
      ok: true,
      value,
    });
  });

  test('fails where an item has no key', () => {
    expect(codeOf(grow([1], [], { keyed: true }))).toBe('expression_failed');
    expect(codeOf(grow([{ k: 'a' }], [1], { keyed: true }))).toBe('expression_failed');
  });

  test('is bounded in its length and in how often it grows; what brings nothing new does not count', () => {
    const full = Array.from({ length: MAX_ITEMS }, (_, n) => n);
    expect(codeOf(grow(full, [-1]))).toBe('too_many_items');
    expect(codeOf(grow([1], [2], { rounds: MAX_ROUNDS }))).toBe('too_many_rounds');
    expect(grow([1], [1], { rounds: MAX_ROUNDS })).toEqual({ ok: true, value: [] });
    expect(grow([1], [2], { rounds: MAX_ROUNDS - 1 })).toEqual({ ok: true, value: [2] });
  });

  test('leaves items stale that are related to one which was not there when they were computed', () => {
    expect(isStale({ left: [0, 3], right: [] }, 4)).toBe(false);
    expect(isStale({ left: [0], right: [1, 4] }, 4)).toBe(true);
  });
});

describe('the if of a step with items', () => {
  const forEach: PlannedForEach = { items: 'input', max: 1, onItemError: 'fail' };
  const step = (more: object): PlannedStep => ({ kind: 'wait', needs: [], wait: { for: 'callback' }, ...more });

  test('decides on the step when it says nothing of the items, else on each of them', () => {
    expect(guardOf(step({ forEach, if: 'size(input) > 1' }))).toBe('size(input) > 1');
    expect(guardOf(step({ forEach, if: 'each.item > 1' }))).toBeUndefined();
    expect(guardOf(step({ forEach }))).toBeUndefined();
    expect(guardOf(step({ if: 'true' }))).toBeUndefined();
  });

  test('is asked once', () => {
    expect(stepOfItem(step({ forEach, if: 'true' }))).toEqual(step({ forEach }));
    const each = step({ forEach, if: 'each.index > 1' });
    expect(stepOfItem(each)).toBe(each);
  });
});
