import { describe, expect, test } from '@jest/globals';
import type { HistoryEvent } from '@connecta/contracts';
import { checkRecords, type OrderRecord } from '../src/guarantees.ts';

type Job = OrderRecord['jobs'][number];
const jobId = '01a2-job';
const jobMoved = (state: string, attempt = 1): HistoryEvent =>
  ({ type: 'job', step: 'only', jobId, state, attempt }) as unknown as HistoryEvent;
const orderMoved = (state: string): HistoryEvent => ({ type: 'order', epoch: 1, state }) as unknown as HistoryEvent;

const JOB: Job = {
  ...{ id: jobId, step: 'only', state: 'completed', attempt: 1 },
  ...{ input: 1, result: 2, finishedAt: '2026-01-01T00:00:00.000Z' },
};
const EVENTS = [orderMoved('active'), jobMoved('invoked'), jobMoved('completed'), orderMoved('completed')];
/** An order of one step as it should be, except for what is told. */
const record = (change: Partial<OrderRecord> = {}, events: HistoryEvent[] = EVENTS): OrderRecord => ({
  ...{ index: 0, id: '01a2-order', jobs: [JOB], lateReports: 0 },
  row: { state: 'completed', version: events.length, input: 1, result: 2 },
  history: [{ seq: 1, events }],
  effects: { [jobId]: { attempt: 1, value: 2 } },
  ...change,
});
const job = (change: Partial<Job>): Partial<OrderRecord> => ({ jobs: [{ ...JOB, ...change }] });

describe('what is checked of the orders of a run', () => {
  test('an order as it should be passes, and its attempts are counted', () => {
    // Given an order whose step was tried twice
    const events = [orderMoved('active'), jobMoved('invoked'), jobMoved('invoked', 2), jobMoved('completed', 2)];
    const twice = record(job({ attempt: 2 }), [...events, orderMoved('completed')]);
    // When it is checked beside one whose step was tried once
    const kept = checkRecords([record(), twice], 1);
    // Then both pass
    expect(kept).toEqual({ orders: 2, steps: 2, extraAttempts: 1, lateReports: 0 });
  });

  test.each<[string, OrderRecord, RegExp]>([
    ['is lost', record({ row: null }), /is lost/],
    ['failed', record({ row: { state: 'failed', version: 4, input: 1, result: null } }), /is failed/],
    [
      'has another result',
      record({ row: { state: 'completed', version: 4, input: 1, result: 3 } }),
      /has the result 3/,
    ],
    ['lacks a step', record({ jobs: [] }), /has 0 jobs/],
    ['has a step with another result', record(job({ result: 7 })), /made 7 of 1/],
    ['has a step without an effect', record({ effects: {} }), /no effect/],
    [
      'has a step whose effect is of another result',
      record({ effects: { [jobId]: { attempt: 1, value: 9 } } }),
      /another/,
    ],
    ['has a gap in its history', record({ history: [{ seq: 2, events: EVENTS }] }), /goes on with event 2 behind 0/],
    [
      'has a version that its history lacks',
      record({ history: [{ seq: 1, events: EVENTS.slice(0, 3) }] }),
      /version 4/,
    ],
    ['moved as it may not', record({}, [orderMoved('completed'), ...EVENTS]), /moved from accepted to completed/],
    [
      'accepted a result twice',
      record({}, [...EVENTS.slice(0, 3), jobMoved('completed'), EVENTS[3]!]),
      /moved only from/,
    ],
    ['is at an attempt that its history lacks', record(job({ attempt: 2 })), /at attempt 2 and replays to 1/],
    ['is in a state that its history lacks', record({}, [...EVENTS.slice(0, 2), EVENTS[3]!]), /replays to invoked/],
  ])('an order that %s does not pass', (_what, broken, told) => {
    // Given one that is as it should be, and one that is not
    const records = [record(), broken];
    // When they are checked, then the second is named with what is wrong
    expect(() => checkRecords(records, 1)).toThrow(told);
  });
});
