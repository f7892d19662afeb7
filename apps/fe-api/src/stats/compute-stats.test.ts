import { expect, test } from '@jest/globals';
import type { PlanId, ProfileId } from '@connecta/contracts';
import type { Plan, PlannedStep } from '@connecta/domain';
import type { WorkerTypeSummary } from '@connecta/store';
import { computeStats } from './compute-stats.ts';

const step = (uses: string, needs: string[] = []): PlannedStep => ({
  kind: 'task',
  ...{ uses, needs, workerType: uses.split('/')[0] ?? '', function: 'f' },
  ...{ profileId: 'p' as ProfileId, profileRevision: 1 },
});
const a = 'a' as PlanId;
const b = 'b' as PlanId;
const plans = new Map<PlanId, Plan>([
  [a, { steps: { one: step('x/one'), two: step('y/two', ['one']) }, outputs: ['two'] }],
  [b, { steps: { first: step('x/one'), again: step('x/one', ['first']) }, outputs: ['again'] }],
]);
const type = (name: string, slots: number): WorkerTypeSummary => ({
  ...{ type: name, version: '1', language: 't', transport: 'bullmq', apiUrl: '', ownerTeam: '', ownerContact: '' },
  ...{ functions: [], offline: {}, updatedAt: new Date(0), profiles: 1, ready: 1, draining: 0, slots, freeSlots: 0 },
  lastSeenAt: new Date(0),
});

test('a task is still to do for each step of an order under way that has not ended, in whatever workflow', () => {
  const stats = computeStats(
    new Date(0),
    {
      orders: [
        { planId: a, accepted: 1, active: 2 },
        { planId: b, accepted: 0, active: 1 },
      ],
      ended: [{ planId: a, step: 'one', count: 2 }],
      jobs: [
        { planId: a, step: 'two', state: 'started', count: 1, oldestMs: 9000 },
        { planId: a, step: 'two', state: 'queued', count: 4, oldestMs: 2000 },
        { planId: b, step: 'first', state: 'invoked', count: 1, oldestMs: 5000 },
      ],
    },
    plans,
    [type('x', 0), type('y', 2)],
  );
  expect(stats.orders).toEqual({ accepted: 1, active: 3 });
  expect(stats.tasks).toEqual([
    { task: 'x/one', workerType: 'x', toDo: 3, jobs: { invoked: 1 }, oldestMs: 5000 },
    { task: 'y/two', workerType: 'y', toDo: 3, jobs: { started: 1, queued: 4 }, oldestMs: 2000 },
  ]);
  expect(stats.queueAgeMs).toBe(5000);
  expect(stats.workers.map(({ type: name, waiting }) => [name, waiting])).toEqual([
    ['x', 1],
    ['y', 4],
  ]);
  expect(stats.bottlenecks.map(({ task, waitingPerSlot }) => [task, waitingPerSlot])).toEqual([
    ['x/one', null],
    ['y/two', 2],
  ]);
});

test('a type of which nobody lives says since when, whose it is and how long jobs wait', () => {
  const nobody = { slots: 0, ready: 0, ownerTeam: 'ink', ownerContact: 'ink@example.org' };
  const offline = (more: Partial<WorkerTypeSummary>): unknown => {
    const rows = { orders: [], ended: [], jobs: [] };
    return computeStats(new Date(0), rows, plans, [{ ...type('x', 0), ...nobody, ...more }]).workers[0];
  };
  expect(offline({ offline: { policy: 'wait', limitMs: 5 } })).toMatchObject({
    owner: { team: 'ink', contact: 'ink@example.org' },
    offline: { since: '1970-01-01T00:00:00.000Z', policy: 'wait', limitMs: 5 },
  });
  expect(offline({ offline: { policy: 'fail' }, lastSeenAt: null })).toMatchObject({
    offline: { since: null, policy: 'fail', limitMs: 10_000 },
  });
  expect(offline({})).toMatchObject({ offline: { policy: 'wait', limitMs: 86_400_000 } });
  expect(offline({ draining: 1 })).toMatchObject({ offline: null });
});

test('nothing under way is nothing to do', () => {
  const stats = computeStats(new Date(0), { orders: [], ended: [], jobs: [] }, plans, []);
  expect(stats).toMatchObject({ tasks: [], queueAgeMs: null, bottlenecks: [] });
});
