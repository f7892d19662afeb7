import { describe, expect, test } from '@jest/globals';
import type { JsonValue } from '@connecta/contracts';
import {
  findTaskCycle,
  isFresh,
  orderOfInvocation,
  planInvocation,
  usesOfTask,
  type LastRun,
  type TaskGraph,
} from './invocation.ts';

const now = new Date('2026-01-01T12:00:00Z');
const ago = (minutes: number, result: JsonValue = null): LastRun => ({
  finishedAt: new Date(now.getTime() - minutes * 60_000),
  result,
});
/** d follows b and c; b follows a; c follows a, within an hour each, except c: a always. */
const graph: TaskGraph = new Map([
  [
    't/d',
    [
      { task: 't/b', within: '1h' },
      { task: 'u/c', within: '1h' },
    ],
  ],
  ['t/b', [{ task: 't/a', within: '1h' }]],
  ['u/c', [{ task: 't/a' }]],
]);
const plan = (lastRuns: [string, LastRun][], force = false) =>
  planInvocation({ task: 't/d', graph, lastRuns: new Map(lastRuns), now, force });
const order = (lastRuns: [string, LastRun][], of = graph, task = 't/d') =>
  orderOfInvocation({
    plan: planInvocation({ task, graph: of, lastRuns: new Map(lastRuns), now, force: false }),
    ...{ graph: of, lastRuns: new Map(lastRuns), usesOf: (name: string) => name, input: 5 },
  });

describe('what an invocation runs', () => {
  test('everything above that was never run, each behind what it follows', () => {
    expect(plan([])).toEqual({ runs: ['t/a', 't/b', 'u/c', 't/d'], fresh: [] });
  });

  test('nothing above what is fresh', () => {
    expect(
      plan([
        ['t/b', ago(59)],
        ['u/c', ago(1)],
      ]),
    ).toEqual({ runs: ['t/d'], fresh: ['t/b', 'u/c'] });
  });

  test('what is exactly as old as allowed, or older, runs again', () => {
    expect(
      plan([
        ['t/b', ago(60)],
        ['u/c', ago(1)],
        ['t/a', ago(1)],
      ]),
    ).toEqual({
      runs: ['t/b', 't/d'],
      fresh: ['u/c', 't/a'],
    });
  });

  test('what runs for one serves all, also those for whom it would have been fresh', () => {
    expect(plan([['t/a', ago(1)]])).toEqual({ runs: ['t/a', 't/b', 'u/c', 't/d'], fresh: [] });
  });

  test('everything by force', () => {
    expect(
      plan(
        [
          ['t/b', ago(1)],
          ['u/c', ago(1)],
        ],
        true,
      ).runs,
    ).toEqual(['t/a', 't/b', 'u/c', 't/d']);
  });

  test('without a time, or one that is none, nothing is fresh', () => {
    expect([isFresh({ task: 'a' }, ago(0), now), isFresh({ task: 'a', within: 'x' }, ago(0), now)]).toEqual([
      false,
      false,
    ]);
  });
});

describe('the order of an invocation', () => {
  test('hands results on as a workflow does', () => {
    expect(order([])).toEqual({
      steps: {
        a: { uses: 't/a' },
        b: { uses: 't/b', needs: ['a'] },
        c: { uses: 'u/c', needs: ['a'] },
        d: { uses: 't/d', needs: ['b', 'c'] },
      },
      ...{ output: 'd', input: 5, upstream: {} },
    });
  });

  test('a task that takes everything over gets it as the input', () => {
    const runs: [string, LastRun][] = [
      ['t/b', ago(1, 'B')],
      ['u/c', ago(1, 'C')],
    ];
    expect(order(runs)).toEqual({
      ...{ steps: { d: { uses: 't/d' } }, output: 'd', input: { b: 'B', c: 'C' }, upstream: {} },
    });
    expect(order([['t/a', ago(1, 'A')]], graph, 't/b').input).toBe('A');
  });

  test('what is taken over beside steps that run is mapped', () => {
    expect(order([['u/c', ago(1, 'C')]])).toEqual({
      steps: {
        a: { uses: 't/a' },
        b: { uses: 't/b', needs: ['a'] },
        d: {
          ...{ uses: 't/d', needs: ['b'] },
          with: { b: 'steps["b"].result', c: 'params.upstream["u/c"]' },
        },
      },
      ...{ output: 'd', input: 5, upstream: { 'u/c': 'C' } },
    });
  });

  test('a task that follows nobody gets the input', () => {
    expect(order([], new Map(), 't/x')).toEqual({ steps: { x: { uses: 't/x' } }, output: 'x', input: 5, upstream: {} });
  });
});

test('a cycle is told as the path that it is', () => {
  expect(findTaskCycle(graph)).toBeNull();
  expect(findTaskCycle(new Map([...graph, ['t/a', [{ task: 't/d' }]]]))).toEqual(['t/d', 't/b', 't/a', 't/d']);
});

test('a task may stand for a profile of another name', () => {
  expect([usesOfTask('t/nightly', 'add-2'), usesOfTask('t/add-2', null)]).toEqual(['t/add-2', 't/add-2']);
});
