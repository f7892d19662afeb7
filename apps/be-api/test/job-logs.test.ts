import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  LOG_LIMITS,
  leaseKey,
  newId,
  signLease,
  type JobId,
  type JobState,
  type LogLine,
  type OrderId,
} from '@connecta/contracts';
import { listJobLog } from '@connecta/store';
import type { Test } from 'supertest';
import { Harness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

type Job = { id: JobId; orderId: OrderId };
const job = (state: JobState = 'started', attempt = 1): Promise<Job> =>
  harness.job({ workerType: 'painter', state, attempt });
const leaseOf = ({ id, orderId }: Job, more: { attempt?: number; workerType?: string; expiresAtMs?: number } = {}) =>
  signLease(leaseKey(harness.leaseKey), {
    ...{ orderId, jobId: id, attempt: 1, workerType: 'painter', expiresAtMs: Date.now() + 60_000 },
    ...more,
  });
const line = (message: string): LogLine => ({ at: '2026-01-01T00:00:00.000Z', level: 'info', message });
const send = (to: Job, first: number, lines: LogLine[], lease = leaseOf(to)): Test =>
  harness.as('painter').post(`/v1/jobs/${to.id}/logs`).set('connecta-lease', lease).send({ first, lines });
const read = async ({ id }: Job, limit = 20_000) =>
  listJobLog(harness.store, { jobId: id, attempt: undefined, after: { attempt: 0, number: 0 }, limit });
const texts = async (of: Job) =>
  (await read(of)).map(({ attempt, number, message }) => `${attempt}.${number} ${message}`);

describe('what a function logs', () => {
  test('is kept with its attempt, in the order of its numbers', async () => {
    const it = await job();
    expect((await send(it, 1, [line('a'), line('b')]).expect(200)).body).toEqual({ next: 3, full: false });
    await send(it, 3, [{ ...line('c'), level: 'error', fields: { n: 1 } }]).expect(200);
    expect(await read(it)).toEqual([
      { attempt: 1, number: 1, ...line('a') },
      { attempt: 1, number: 2, ...line('b') },
      { attempt: 1, number: 3, ...line('c'), level: 'error', fields: { n: 1 } },
    ]);
  });

  test('is kept once, however often it is sent', async () => {
    const it = await job();
    await send(it, 1, [line('a'), line('b')]);
    expect((await send(it, 1, [line('a'), line('b')]).expect(200)).body).toEqual({ next: 3, full: false });
    await send(it, 2, [line('b'), line('c')]).expect(200);
    await Promise.all([1, 2, 3].map(() => send(it, 4, [line('d')]).expect(200)));
    expect(await texts(it)).toEqual(['1.1 a', '1.2 b', '1.3 c', '1.4 d']);
  });

  test('is taken from an attempt that has ended, or that another has superseded', async () => {
    const it = await job('completed', 2);
    await send(it, 1, [line('late')]).expect(200);
    await send(it, 1, [line('last')], leaseOf(it, { attempt: 2 })).expect(200);
    expect(await texts(it)).toEqual(['1.1 late', '2.1 last']);
  });

  test('is refused without a lease of the job, type and time', async () => {
    const it = await job();
    const others = [
      leaseOf(await job()),
      leaseOf(it, { workerType: 'packer' }),
      leaseOf(it, { expiresAtMs: 1 }),
      `${leaseOf(it)}x`,
    ];
    for (const lease of others) {
      expect((await send(it, 1, [line('a')], lease).expect(409)).body).toMatchObject({ code: 'lease_invalid' });
    }
    await send(it, 1, [line('a')], leaseOf(it, { attempt: 2 })).expect(404);
    const gone = { id: newId<JobId>(), orderId: it.orderId };
    await send(gone, 1, [line('a')]).expect(404);
    expect(await read(it)).toEqual([]);
  });

  test('that is no list of lines is a 400', async () => {
    const it = await job();
    for (const lines of [[], [{ ...line('a'), level: 'loud' }], [{ message: 'x' }], Array(1001).fill(line('a'))]) {
      await send(it, 1, lines as LogLine[]).expect(400);
    }
    await send(it, 0, [line('a')]).expect(400);
  });

  test('is refused with texts that no body may have', async () => {
    const it = await job();
    for (const text of ['a\0b', '\ud800']) await send(it, 1, [line(text)]).expect(400);
    expect(await read(it)).toEqual([]);
  });
});

describe('how much is kept', () => {
  test('a long line is cut', async () => {
    const it = await job();
    await send(it, 1, [{ ...line('m'), fields: { text: 'x'.repeat(9000) } }, line('y'.repeat(9000))]).expect(200);
    const [first, second] = await read(it);
    expect(first).toEqual({ attempt: 1, number: 1, ...line('m'), truncated: true });
    expect(second?.message.length).toBeLessThan(LOG_LIMITS.lineBytes);
  });

  test('a megabyte of an attempt, and then a line that says so', async () => {
    const it = await job();
    const lines = Array.from({ length: 130 }, () => line('x'.repeat(8000)));
    expect((await send(it, 1, lines.slice(0, 100)).expect(200)).body).toEqual({ next: 101, full: false });
    expect((await send(it, 101, lines.slice(100)).expect(200)).body).toMatchObject({ full: true });
    expect((await send(it, 131, [line('more')]).expect(200)).body).toMatchObject({ full: true });
    const kept = await read(it);
    expect(kept.length).toBeLessThan(130);
    expect(kept.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('the log is full') });
    // Another attempt has a log of its own.
    await harness.store.prisma.job.update({ where: { id: it.id }, data: { attempt: 2 } });
    await send(it, 1, [line('fresh')], leaseOf(it, { attempt: 2 })).expect(200);
    expect((await read(it)).at(-1)).toMatchObject({ attempt: 2, message: 'fresh' });
  });

  test('ten thousand lines of an attempt', async () => {
    const it = await job();
    for (let first = 1; first <= 10_001; first += 1000) {
      await send(
        it,
        first,
        Array.from({ length: 1000 }, (_, i) => line(`${first + i}`)),
      ).expect(200);
    }
    const kept = await read(it);
    expect(kept).toHaveLength(LOG_LIMITS.lines);
    expect(kept.at(-2)?.message).toBe('9999');
    expect(kept.at(-1)?.message).toContain('the log is full');
  });
});
