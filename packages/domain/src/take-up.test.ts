import { describe, expect, test } from '@jest/globals';
import type { Edge, Progress, ProfileId } from '@connecta/contracts';
import { compilePlan, type CompiledPlan, type TaskStep } from './plan.ts';
import { takeUp as takeUpWith, type TakenUp } from './take-up.ts';

type Step = Partial<TaskStep>;
const plan = (steps: Record<string, Step>, outputs: string[]): CompiledPlan =>
  compilePlan({
    steps: Object.fromEntries(
      Object.entries(steps).map(([name, step]) => [
        name,
        {
          ...{ kind: 'task', uses: 'g/x', workerType: 'g', function: 'x', needs: [] },
          ...{ profileId: 'p' as ProfileId, profileRevision: 1, ...step },
        },
      ]),
    ),
    outputs,
  });

const takeUp = (compiled: CompiledPlan, progress: Progress, outcomes: Record<string, Edge> = {}): TakenUp | null =>
  takeUpWith(compiled, progress, new Map(Object.entries(outcomes)));

describe('taking up a failed order', () => {
  test('redoes what failed and what it had blocked, and nothing that completed', () => {
    const chain = plan({ a: {}, bad: { needs: ['a'] }, behind: { needs: ['bad'] }, far: { needs: ['behind'] } }, [
      'far',
    ]);
    const progress: Progress = { a: 'completed', bad: 'error', behind: 'blocked', far: 'blocked' };
    expect(takeUp(chain, progress)).toEqual({
      progress: { a: 'completed', bad: 'pending' },
      again: ['bad'],
      cleared: ['behind', 'far'],
    });
  });

  test('redoes every failure, also one that no output needs', () => {
    const two = plan({ a: {}, b: {} }, ['a']);
    expect(takeUp(two, { a: 'error', b: 'error' })?.again).toEqual(['a', 'b']);
  });

  test('leaves an error that the workflow deals with, unless it is the output', () => {
    const tolerant = plan({ a: { onError: 'continue' }, b: {} }, ['b']);
    expect(takeUp(tolerant, { a: 'error', b: 'error' })?.again).toEqual(['b']);
    const output = plan({ a: { onError: 'continue' } }, ['a']);
    expect(takeUp(output, { a: 'error' })?.again).toEqual(['a']);
  });

  test('redoes the stand-in that failed as well, not what it stands for', () => {
    const steps = { a: { onError: { fallback: 'f' } }, f: { fallbackFor: 'a' } };
    expect(takeUp(plan(steps, ['a']), { a: 'error', f: 'error' })?.again).toEqual(['f']);
    // The stand-in did not run: the step itself is why the order failed.
    expect(takeUp(plan(steps, ['a']), { a: 'error', f: 'skipped' })?.again).toEqual(['a']);
  });

  test('decides again on stand-ins of blocked steps and on what was skipped for want of them', () => {
    const steps: Record<string, Step> = {
      bad: {},
      after: { needs: ['stand-in'] },
      'stand-in': { fallbackFor: 'step' },
      step: { needs: ['bad'], onError: { fallback: 'stand-in' } },
      unasked: { if: 'false' },
      'after-unasked': { needs: ['unasked'] },
      'on-edge': { needs: ['stand-in'], edges: { 'stand-in': ['reject'] } },
    };
    const skipped: Progress = { 'stand-in': 'skipped', after: 'skipped', 'on-edge': 'skipped' };
    const rest: Progress = { unasked: 'skipped', 'after-unasked': 'skipped' };
    expect(takeUp(plan(steps, ['step']), { bad: 'error', step: 'blocked', ...skipped, ...rest })).toEqual({
      progress: { bad: 'pending', ...rest },
      again: ['bad'],
      cleared: ['step', 'stand-in', 'after', 'on-edge'],
    });
  });

  test('leaves out what the end of a wait has ruled out, and what follows from that', () => {
    const steps: Record<string, Step> = {
      review: {},
      calc: {},
      mid: { needs: ['calc'] },
      go: { needs: ['review', 'mid'] },
      'after-go': { needs: ['go'] },
      sorry: { needs: ['review', 'mid'], edges: { review: ['reject'] } },
    };
    const progress: Progress = { review: 'completed', calc: 'error', mid: 'blocked', go: 'skipped' };
    const rejected: Progress = { ...progress, 'after-go': 'skipped', sorry: 'blocked' };
    expect(takeUp(plan(steps, ['sorry']), rejected, { review: 'reject' })).toEqual({
      progress: { review: 'completed', calc: 'pending', go: 'skipped', 'after-go': 'skipped' },
      again: ['calc'],
      cleared: ['mid', 'sorry'],
    });
  });

  test('leaves out what would have run had nobody answered', () => {
    const compiled = compilePlan({
      steps: {
        ask: { kind: 'wait', needs: [], wait: { for: 'callback', timeoutMs: 5 } },
        bad: { kind: 'wait', needs: [], wait: { for: 'callback' } },
        mid: { kind: 'wait', needs: ['bad'], wait: { for: 'time' } },
        late: { kind: 'wait', needs: ['ask', 'mid'], edges: { ask: ['timeout'] }, wait: { for: 'time' } },
      },
      outputs: ['mid'],
    });
    const failed: Progress = { ask: 'completed', bad: 'error', mid: 'blocked', late: 'skipped' };
    const answered = takeUp(compiled, failed);
    expect(answered).toMatchObject({ again: ['bad'], cleared: ['mid'] });
    // And what a time-out led to is decided on once more
    const due = takeUp(compiled, failed, { ask: 'timeout' });
    expect(due).toMatchObject({ cleared: ['mid', 'late'] });
  });

  test('finds nothing in an order that could not be run at all', () => {
    expect(takeUp(plan({ a: {} }, ['a']), {})).toBeNull();
  });
});
