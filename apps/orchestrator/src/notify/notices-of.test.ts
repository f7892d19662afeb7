import { describe, expect, test } from '@jest/globals';
import type { JobId, OrderId, PlanId, ProfileId, Progress } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import type { UntoldFailure } from '@connecta/store';
import { noticesOf } from './notices-of.ts';

const owners = ['maker', 'painter'].map((workerType) => ({ workerType, team: `${workerType}s`, contact: 'c' }));
const task = (workerType: string, more: Partial<PlannedStep> = {}): PlannedStep => ({
  ...{ kind: 'task', uses: `${workerType}/x`, workerType, function: 'x' },
  ...{ profileId: 'p' as ProfileId, profileRevision: 1, needs: [] },
  ...(more as object),
});
const paint = { paint: task('painter', { needs: ['it'] }) };
const failed = (
  steps: Record<string, PlannedStep>,
  code: string,
  more: Partial<UntoldFailure> & { progress?: Progress } = {},
): UntoldFailure => ({
  ...{ jobId: 'j' as JobId, orderId: 'o' as OrderId, step: 'it', item: 0, kind: 'task', attempt: 1 },
  ...{ error: { kind: 'permanent', code, message: 'm' }, clientName: 'c', workflowName: 'w' },
  ...{ progress: { it: 'error' }, plan: { steps, outputs: [] } },
  ...more,
});
const told = (...failures: UntoldFailure[]): string[] =>
  noticesOf({ failures, offline: [], owners }).map(({ dedupKey }) => dedupKey);

describe('who is told of a failure', () => {
  test('its owner and the teams behind it, also when it never reached a worker', () => {
    expect(told(failed({ it: task('maker'), ...paint }, 'expression_failed'))).toEqual([
      'job_failed makers maker/x expression_failed',
      'blocked painters maker/x expression_failed',
    ]);
  });

  test('nobody behind it, where the workflow deals with the error', () => {
    const goesOn = failed({ it: task('maker', { onError: 'continue' }), ...paint }, 'bad');
    expect(told(goesOn)).toEqual(['job_failed makers maker/x bad']);
  });

  test('of items their owner; what stands behind the list, when the list has failed', () => {
    const steps = { it: task('maker'), ...paint };
    const item = failed(steps, 'bad', { item: 3, progress: { it: 'waiting' } });
    expect(told(item, failed(steps, 'item_failed', { kind: 'head' }))).toEqual([
      'job_failed makers maker/x bad',
      'blocked painters maker/x item_failed',
    ]);
    expect(told(failed(steps, 'expression_failed', { kind: 'head' }))[0]).toBe(
      'job_failed makers maker/x expression_failed',
    );
  });

  test('of an order that a step is, those behind the step: what failed in it is told by itself', () => {
    const it: PlannedStep = { kind: 'order', workflow: 'inner', planId: 'p' as PlanId, needs: [] };
    const steps = { it, ...paint };
    const [notice, ...more] = noticesOf({
      failures: [failed(steps, 'order_failed', { kind: 'order' })],
      offline: [],
      owners,
    });
    expect(more).toEqual([]);
    expect(notice).toMatchObject({
      ...{ team: 'painters', kind: 'blocked', subject: { task: "step 'it' of w", blocked: ['painter/x'] } },
    });
    expect(notice?.subject).not.toHaveProperty('owner');
  });

  test('of a wait the operators when nobody came, and nobody when a person rejected', () => {
    const it: PlannedStep = { kind: 'wait', needs: [], wait: { for: 'approval' } };
    const steps = { it, ...paint };
    expect(told(failed(steps, 'rejected', { kind: 'wait' }))).toEqual([]);
    expect(told(failed(steps, 'wait_timeout', { kind: 'wait', workflowName: null }))).toEqual([
      "job_failed operators step 'it' of an order wait_timeout",
      "blocked painters step 'it' of an order wait_timeout",
    ]);
  });

  test('of a type that is offline once, however its work changes', () => {
    const offline = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:05Z'].map((since) => ({
      ...{ workerType: 'maker', jobs: 1, since },
    }));
    expect(noticesOf({ failures: [], offline, owners })).toMatchObject([{ team: 'makers', count: 2 }]);
  });
});
