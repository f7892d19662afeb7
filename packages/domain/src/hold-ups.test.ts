import { describe, expect, test } from '@jest/globals';
import type { ProfileId, Progress } from '@connecta/contracts';
import {
  MAX_AHEAD,
  holdUpOfJob,
  holdUpOfOrder,
  holdUpOfRetry,
  holdUpOfStep,
  type Line,
  type Runners,
} from './hold-ups.ts';
import { compilePlan, type TaskStep } from './plan.ts';

const at = new Date('2026-03-01T00:00:00Z');

describe('what holds up an accepted order', () => {
  const of = (line: Partial<Line>, counts = true) =>
    holdUpOfOrder({ key: null, max: null, active: 0, ahead: 0, ...line }, { counts });

  test('is the limit of its key, as long as there is no room for it and those before it', () => {
    expect(of({ key: 'w "x"', max: 2, active: 2 })).toEqual({
      waitsFor: 'concurrency',
      why: 'of the key w "x", 2 of at most 2 orders are active; accepted orders before it: 0',
    });
    expect(of({ key: 'w', max: 2, active: 1, ahead: 1 }).waitsFor).toBe('concurrency');
    expect(of({ key: 'w', max: 2, active: 1 })).toEqual({ waitsFor: 'turn', why: 'the next orchestrator takes it' });
  });

  test('is its turn otherwise', () => {
    expect(of({ ahead: 3 })).toEqual({ waitsFor: 'turn', why: 'accepted orders before it: 3' });
    expect(of({ ahead: MAX_AHEAD }).why).toBe('accepted orders before it: 1000 or more');
  });

  test('is told without a number to whom the others are none of its business', () => {
    expect(of({ ahead: 3 }, false)).toEqual({ waitsFor: 'turn', why: 'other accepted orders are before it' });
    expect(of({ key: 'w', max: 2, active: 2, ahead: 7 }, false)).toEqual({
      waitsFor: 'concurrency',
      why: 'of the key w, at most 2 orders are active at a time, and others are before it',
    });
  });
});

describe('what holds up a step', () => {
  const task = { kind: 'task', uses: 'g/x', workerType: 'g', function: 'x', profileId: 'p' as ProfileId } as const;
  const step = (more: Partial<TaskStep> = {}): TaskStep => ({ ...task, profileRevision: 1, needs: [], ...more });
  const plan = compilePlan({
    steps: {
      ...{ a: step({ onError: { fallback: 'f' } }), b: step(), f: step({ fallbackFor: 'a', needs: ['b'] }) },
      ...{ last: step({ needs: ['a', 'b'] }) },
    },
    outputs: ['last'],
  });
  const why = (name: string, progress: Progress) => holdUpOfStep(plan, name, progress)?.why;

  test('are the steps that it needs and that have not ended, or what stands in for them', () => {
    expect(holdUpOfStep(plan, 'last', {})).toEqual({ waitsFor: 'steps', why: 'needs the end of a, b' });
    expect(why('last', { a: 'started', b: 'completed' })).toBe('needs the end of a');
    expect(why('last', { a: 'error', b: 'completed' })).toBe('needs the end of f');
    expect(why('f', { b: 'blocked' })).toBe('needs the end of a');
    expect(why('f', { b: 'queued' })).toBe('needs the end of a, b');
  });

  test('is nothing else where all of them have ended', () => {
    expect(holdUpOfStep(plan, 'b', {})).toBeNull();
    expect(why('last', { a: 'completed', b: 'skipped' })).toBeUndefined();
  });

  test('is its backoff, when it failed before', () => {
    expect(holdUpOfRetry(at)).toMatchObject({ waitsFor: 'retry', until: at });
  });
});

describe('what holds up a job that was sent', () => {
  const of = (more: Partial<Runners>, counts = true) =>
    holdUpOfJob({ workerType: 'cu', live: 1, slots: 4, freeSlots: 0, giveUpAt: at, ...more }, { counts });

  test('is that no runner is up, until it is given up', () => {
    expect(of({ live: 0 })).toMatchObject({ waitsFor: 'runner', until: at });
    const unknown = of({ live: 0, giveUpAt: null });
    expect(unknown).toEqual({ waitsFor: 'runner', why: 'no runner of the type cu is up' });
  });

  test('is that those which are up are busy, or about to take it', () => {
    expect(of({})).toEqual({ waitsFor: 'runner', why: 'all slots of the type cu are taken: 4' });
    expect(of({ freeSlots: 1 }).why).toContain('1 of 4 slots are free');
  });

  test('is told without a number to whom the size of a type is none of its business', () => {
    expect(of({}, false).why).toBe('all slots of the type cu are taken');
    expect(of({ freeSlots: 1 }, false).why).toBe('of the type cu, slots are free: a runner takes it next');
  });
});
