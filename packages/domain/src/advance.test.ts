import { describe, expect, test } from '@jest/globals';
import type { Edge, EndedJobState, JsonValue, ProfileId } from '@connecta/contracts';
import { advance, begin, causesOfFailure, inputOf, resultOfOrder, resume } from './advance.ts';
import { standInFor } from './needs.ts';
import { compilePlan, type CompiledPlan, type PlannedStep } from './plan.ts';

const stepOf = (needs: string[]): PlannedStep => ({
  kind: 'task',
  uses: 'g/x',
  workerType: 'g',
  function: 'x',
  profileId: 'p' as ProfileId,
  profileRevision: 1,
  needs,
});
const planOf = (needs: Record<string, string[]>, outputs: string[]): CompiledPlan =>
  compilePlan({
    steps: Object.fromEntries(Object.entries(needs).map(([name, list]) => [name, stepOf(list)])),
    outputs,
  });
const ended = (states: Record<string, EndedJobState>): Map<string, EndedJobState> => new Map(Object.entries(states));
const diamond = planOf({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] }, ['d']);

describe('begin', () => {
  test('makes the roots ready', () => {
    expect(begin(diamond)).toEqual({ progress: { a: 'invoked' }, ready: ['a'], stopped: [], outcome: null });
  });
});

describe('advance', () => {
  test('fans out, and joins only when the last need has ended', () => {
    const first = advance(diamond, { a: 'invoked' }, ended({ a: 'completed' }));
    expect(first.ready).toEqual(['b', 'c']);
    const second = advance(diamond, first.progress, ended({ b: 'completed' }));
    expect(second.ready).toEqual([]);
    expect(advance(diamond, second.progress, ended({ c: 'completed' })).ready).toEqual(['d']);
  });

  test('joins when both needs end at once, and only once', () => {
    const progress = { a: 'completed', b: 'invoked', c: 'invoked' } as const;
    expect(advance(diamond, progress, ended({ b: 'completed', c: 'completed' })).ready).toEqual(['d']);
  });

  test('completes an order when its last step has', () => {
    const progress = { a: 'completed', b: 'completed', c: 'completed', d: 'invoked' } as const;
    expect(advance(diamond, progress, ended({ d: 'completed' })).outcome).toBe('completed');
  });

  test('a failed step blocks what is behind it and lets the rest run', () => {
    const plan = planOf({ a: [], bad: ['a'], behind: ['bad'], far: ['behind'], good: ['a'] }, ['good']);
    const move = advance(plan, { a: 'completed', bad: 'invoked', good: 'invoked' }, ended({ bad: 'error' }));
    expect(move.stopped).toEqual([
      { step: 'behind', state: 'blocked', because: ['bad'] },
      { step: 'far', state: 'blocked', because: ['behind'] },
    ]);
    expect(move.outcome).toBeNull();
    expect(advance(plan, move.progress, ended({ good: 'completed' })).outcome).toBe('completed');
  });

  test('fails an order whose output failed or is blocked', () => {
    const plan = planOf({ a: [], b: ['a'] }, ['b']);
    expect(advance(plan, { a: 'invoked' }, ended({ a: 'error' })).outcome).toBe('failed');
    expect(advance(plan, { a: 'completed', b: 'invoked' }, ended({ b: 'error' })).outcome).toBe('failed');
  });

  test('skips a step whose needs were all skipped, runs one of whose needs only some were', () => {
    const plan = planOf({ a: [], b: [], only: ['a'], some: ['a', 'b'] }, ['only']);
    const move = advance(plan, { a: 'invoked', b: 'completed' }, ended({ a: 'skipped' }));
    expect(move.stopped).toEqual([{ step: 'only', state: 'skipped', because: ['a'] }]);
    expect(move.ready).toEqual(['some']);
  });

  test('passes over what had ended before and what it does not know', () => {
    const progress = { a: 'completed', b: 'invoked', c: 'invoked' } as const;
    const move = advance(diamond, progress, ended({ a: 'error', stranger: 'completed' }));
    expect(move).toEqual({ progress, ready: [], stopped: [], outcome: null });
  });
});

describe('resume', () => {
  test('finds the steps that stand ready without a job', () => {
    expect(resume(diamond, { a: 'completed' }).ready).toEqual(['b', 'c']);
  });

  test('ends an order of which nothing is left', () => {
    const plan = planOf({ a: [] }, ['a']);
    expect(resume(plan, { a: 'completed' }).outcome).toBe('completed');
    expect(resume(plan, {}).ready).toEqual([]);
  });
});

describe('values', () => {
  const results: Record<string, JsonValue> = { a: 1, b: 'two' };
  const resultOf = (step: string): JsonValue | undefined => results[step];

  test("a root gets the order's input, one need its result, several an object keyed by step", () => {
    expect(inputOf(stepOf([]), 5, resultOf)).toBe(5);
    expect(inputOf(stepOf(['a']), 5, resultOf)).toBe(1);
    expect(inputOf(stepOf(['a', 'b', 'skipped']), 5, resultOf)).toEqual({ a: 1, b: 'two' });
    expect(inputOf(stepOf(['skipped']), 5, resultOf)).toBeNull();
  });

  test('an order has the result of its output, or an object keyed by outputs; a skipped output gives null', () => {
    expect(resultOfOrder(planOf({ a: [] }, ['a']), resultOf)).toBe(1);
    expect(resultOfOrder(planOf({ z: [] }, ['z']), resultOf)).toBeNull();
    expect(resultOfOrder(planOf({ a: [], b: [] }, ['a', 'b']), resultOf)).toEqual({ a: 1, b: 'two' });
  });

  test('names the steps that failed, not those that they blocked, as the causes of a failed order', () => {
    const plan = planOf({ a: [], b: ['a'], c: ['a', 'b'], d: [], e: [] }, ['c', 'd', 'e']);
    const progress = { a: 'error', b: 'blocked', c: 'blocked', d: 'completed', e: 'error' } as const;
    expect(causesOfFailure(plan, progress)).toEqual(['e', 'a']);
  });
});

describe('errors that do not block', () => {
  const plan = compilePlan({
    steps: {
      a: { ...stepOf([]), onError: 'continue' },
      b: { ...stepOf([]), onError: { fallback: 'plan-b' } },
      'plan-b': { ...stepOf([]), fallbackFor: 'b' },
      c: stepOf(['a', 'b']),
      d: stepOf(['a']),
    },
    outputs: ['c', 'a'],
  });

  test('a fallback is no root, waits for its step, and is skipped when that step did not fail', () => {
    expect(begin(plan).ready).toEqual(['a', 'b']);
    expect(advance(plan, { a: 'invoked', b: 'invoked' }, ended({ b: 'completed' })).stopped).toEqual([
      { step: 'plan-b', state: 'skipped', because: ['b'], reason: 'fallback' },
    ]);
  });

  test('a fallback runs for a step that failed, and whoever needs the step waits for it', () => {
    const first = advance(plan, { a: 'completed', b: 'invoked', d: 'completed' }, ended({ b: 'error' }));
    expect(first).toMatchObject({ ready: ['plan-b'], stopped: [], outcome: null });
    expect(standInFor(plan, 'b', first.progress)).toBe('plan-b');
    expect(advance(plan, first.progress, ended({ 'plan-b': 'completed' })).ready).toEqual(['c']);
    const lost = advance(plan, first.progress, ended({ 'plan-b': 'skipped' }));
    expect(lost).toMatchObject({ ready: [], outcome: 'failed' });
    expect(causesOfFailure(plan, lost.progress)).toEqual(['b']);
  });

  test('with continue an error only leaves the result out, but an output that failed fails the order', () => {
    const move = advance(plan, { a: 'invoked', b: 'completed', 'plan-b': 'skipped' }, ended({ a: 'error' }));
    expect(move).toMatchObject({ ready: ['c'], stopped: [{ step: 'd', state: 'skipped', because: ['a'] }] });
    const last = advance(plan, move.progress, ended({ c: 'completed' }));
    expect(last.outcome).toBe('failed');
    expect(causesOfFailure(plan, last.progress)).toEqual(['a']);
  });
});

describe('edges', () => {
  test('only what stands behind the edge that was taken runs; a plain need is met by approve and edit', () => {
    const plan = compilePlan({
      steps: {
        review: stepOf([]),
        other: stepOf([]),
        go: { ...stepOf(['review', 'other']), edges: { review: ['approve', 'edit'] } },
        sorry: { ...stepOf(['review']), edges: { review: ['reject'] } },
        plain: stepOf(['review']),
      },
      outputs: ['go'],
    });
    const running = { review: 'invoked', other: 'invoked' } as const;
    const taken = (edge: Edge) => advance(plan, running, ended({ review: 'completed' }), new Map([['review', edge]]));
    expect(taken('edit')).toMatchObject({ ready: ['plain'], stopped: [{ step: 'sorry', reason: 'edge' }] });
    expect(taken('reject')).toMatchObject({ ready: ['sorry'], stopped: [{ step: 'go' }, { step: 'plain' }] });
    expect(resume(plan, { ...taken('reject').progress, other: 'completed' }).ready).toEqual([]);
  });
});
