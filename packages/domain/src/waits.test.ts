import { describe, expect, test } from '@jest/globals';
import { advance } from './advance.ts';
import { compilePlan, type PlannedStep, type WaitStep } from './plan.ts';
import { endWait, type WaitAnswer } from './waits.ts';

const waitFor = (kind: WaitStep['wait']['for']): WaitStep => ({ kind: 'wait', needs: [], wait: { for: kind } });
const planOf = (kind: WaitStep['wait']['for'], behind: Partial<PlannedStep> = {}) =>
  compilePlan({
    steps: { w: waitFor(kind), after: { ...waitFor('time'), needs: ['w'], ...behind } as PlannedStep },
    outputs: ['after'],
  });
const reject: WaitAnswer = { kind: 'decided', decision: 'reject' };

describe('the end of a wait', () => {
  test('is the answer of a callback, and the input of a time that has come', () => {
    expect(endWait(planOf('callback'), 'w', 1, { kind: 'answered', value: 2 })).toEqual({
      state: 'completed',
      result: 2,
    });
    expect(endWait(planOf('time'), 'w', 1, { kind: 'due' })).toEqual({ state: 'completed', result: 1 });
  });

  test('is what a person approved, or made of it', () => {
    const plan = planOf('approval');
    const decided = (decision: 'approve' | 'edit', value?: number) =>
      endWait(plan, 'w', 1, { kind: 'decided', decision, value });
    expect(decided('approve')).toEqual({ state: 'completed', result: 1, outcome: 'approve' });
    expect(decided('edit', 3)).toEqual({ state: 'completed', result: 3, outcome: 'edit' });
    expect(decided('edit')).toEqual({ state: 'completed', result: null, outcome: 'edit' });
  });

  test('is an error when it was rejected or timed out', () => {
    const plan = planOf('approval');
    expect(endWait(plan, 'w', 1, reject)).toMatchObject({ error: { kind: 'business', code: 'rejected' } });
    expect(endWait(plan, 'w', 1, { ...reject, comment: 'too dark' })).toMatchObject({
      error: { message: 'it was rejected: too dark' },
    });
    expect(endWait(plan, 'w', 1, { kind: 'due' })).toMatchObject({ error: { code: 'wait_timeout' } });
    const timed = compilePlan({
      steps: { w: { ...waitFor('callback'), wait: { for: 'callback', timeoutMs: 5 } } },
      outputs: ['w'],
    });
    expect(endWait(timed, 'w', 1, { kind: 'due' })).toMatchObject({
      error: { message: 'nobody answered within 5 ms' },
    });
  });

  test('completes with what came in when some step needs just that edge', () => {
    const plan = planOf('approval', { edges: { w: ['reject', 'timeout'] } });
    expect(endWait(plan, 'w', 1, reject)).toEqual({ state: 'completed', result: 1, outcome: 'reject' });
    expect(endWait(plan, 'w', 1, { kind: 'due' })).toEqual({ state: 'completed', result: 1, outcome: 'timeout' });
  });

  test('by an answer is no time-out: what needs just that never runs', () => {
    const plan = compilePlan({
      steps: {
        w: { ...waitFor('callback'), wait: { for: 'callback', timeoutMs: 5 } },
        go: { ...waitFor('time'), needs: ['w'] },
        late: { ...waitFor('time'), needs: ['w'], edges: { w: ['timeout'] } },
      },
      outputs: ['go'],
    });
    const ended = new Map([['w', 'completed'] as const]);
    const answered = advance(plan, { w: 'waiting' }, ended);
    expect(answered).toMatchObject({ ready: ['go'], stopped: [{ step: 'late', state: 'skipped', reason: 'edge' }] });
    const due = advance(plan, { w: 'waiting' }, ended, new Map([['w', 'timeout'] as const]));
    expect(due).toMatchObject({ ready: ['late'], stopped: [{ step: 'go', reason: 'edge' }] });
  });
});
