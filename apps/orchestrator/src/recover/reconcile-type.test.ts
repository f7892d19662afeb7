import { describe, expect, test } from '@jest/globals';
import type { JobId, OrderId } from '@connecta/contracts';
import { DEFAULT_TIMERS } from '@connecta/domain';
import type { OpenAttempt } from '@connecta/store';
import { reconcileType, type ReconcileInput } from './reconcile-type.ts';

const NOW = 1_000_000;
const open = (change: Partial<OpenAttempt> = {}): OpenAttempt => ({
  jobId: 'j1' as JobId,
  orderId: 'o1' as OrderId,
  attempt: 1,
  workerType: 'generic',
  state: 'invoked',
  ageMs: 60_000,
  unlistedMs: null,
  live: true,
  workerLost: false,
  ackMs: null,
  ...change,
});
const look = (change: Partial<Omit<ReconcileInput, 'queue'>> & { waiting?: string[]; active?: string[] }) =>
  reconcileType({
    attempts: [open()],
    marker: true,
    missingSince: new Map(),
    now: NOW,
    timers: DEFAULT_TIMERS,
    missingMs: 20_000,
    silenceProves: true,
    ...change,
    queue: { waiting: new Set(change.waiting), active: new Set(change.active) },
  });
const kinds = (result: ReturnType<typeof reconcileType>): string[] => result.found.map(({ finding }) => finding.kind);

describe('reconcileType', () => {
  test('marks an invoked attempt as queued that waits in the queue of a live type', () => {
    expect(kinds(look({ waiting: ['j1-1'] }))).toEqual(['queued']);
    expect(kinds(look({ waiting: ['j1-1'], attempts: [open({ live: false })] }))).toEqual([]);
    expect(kinds(look({ waiting: ['j1-1'], attempts: [open({ state: 'queued' })] }))).toEqual([]);
  });

  test('leaves a young command alone: it may be on its way', () => {
    expect(look({ attempts: [open({ ageMs: 500 })] })).toEqual({ found: [], missingSince: new Map(), stray: [] });
  });

  test('leaves a young command alone when the store was emptied, or is new, as well', () => {
    expect(look({ attempts: [open({ ageMs: 500 })], marker: false }).found).toEqual([]);
  });

  test('sends an attempt again that has been missing for long enough, over several looks', () => {
    const first = look({});
    expect(first.found).toEqual([]);
    const later = { now: NOW + 20_000, missingSince: first.missingSince };
    expect(kinds(look(later))).toEqual(['gone']);
    expect(kinds(look({ ...later, now: NOW + 19_999 }))).toEqual([]);
  });

  test('sends everything again at once after the store was emptied, except what a worker holds', () => {
    const attempts = [open(), open({ jobId: 'j2' as JobId, unlistedMs: 500 })];
    expect(look({ marker: false, attempts }).found).toEqual([
      { jobId: 'j1', orderId: 'o1', attempt: 1, finding: { kind: 'gone' } },
    ]);
  });

  test('gives an attempt up that a worker took and never listed', () => {
    const first = look({ active: ['j1-1'] });
    expect(first.found).toEqual([]);
    expect(kinds(look({ active: ['j1-1'], now: NOW + 30_000, missingSince: first.missingSince }))).toEqual(['lost']);
    expect(kinds(look({ active: ['j1-1'], attempts: [open({ unlistedMs: 500 })] }))).toEqual([]);
  });

  test('gives it up after one hold, however young it was when it was first seen in the hands of a dead worker', () => {
    const { missingSince } = look({ active: ['j1-1'], attempts: [open({ ageMs: 100 })] });
    const later = { active: ['j1-1'], attempts: [open({ ageMs: 30_100 })], missingSince };
    expect(kinds(look({ ...later, now: NOW + 30_000 }))).toEqual(['lost']);
    expect(kinds(look({ ...later, now: NOW + 29_999 }))).toEqual([]);
  });

  test('gives an attempt up one hold after a worker listed it last, and not before', () => {
    const since = (unlistedMs: number, silenceProves = true): string[] =>
      kinds(look({ active: ['j1-1'], attempts: [open({ unlistedMs })], silenceProves }));
    expect(since(30_000)).toEqual(['lost']);
    expect(since(29_999)).toEqual([]);
    // Nothing is concluded from heartbeats that nobody could hear.
    expect(since(30_000, false)).toEqual([]);
  });

  test('tells a worker that was lost with the attempt from one that only did not list it', () => {
    const crashed = (workerLost: boolean): unknown => {
      const attempts = [open({ workerLost })];
      const { missingSince } = look({ active: ['j1-1'], attempts });
      return look({ active: ['j1-1'], attempts, missingSince, now: NOW + 30_000 }).found[0]?.finding;
    };
    expect(crashed(true)).toMatchObject({ kind: 'lost', crashed: true });
    expect(crashed(false)).toMatchObject({ kind: 'lost', crashed: false });
  });

  test('waits for the queue as long as the job itself says', () => {
    const attempts = [open({ ackMs: 3000, ageMs: 3001 })];
    expect(look({ attempts }).found[0]?.finding).toMatchObject({ kind: 'timeout', code: 'ack_timeout' });
    expect(kinds(look({ attempts: [open({ ackMs: 3000, ageMs: 2999 })] }))).toEqual([]);
    expect(kinds(look({ attempts, marker: false }))).toEqual(['gone']);
  });

  test('finds deliveries that no open attempt stands for', () => {
    const attempts = [open({ attempt: 2 }), open({ jobId: 'j3' as JobId, state: 'started' })];
    expect(look({ waiting: ['j1-1', 'j1-2', 'j9-1'], active: ['j3-1'], attempts }).stray).toEqual(['j1-1', 'j9-1']);
  });
});
