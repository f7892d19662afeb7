import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Harness } from './harness.ts';
import { HttpWorkers, jobsOf, until } from './http-worker.ts';

let harness: Harness;
let workers: HttpWorkers;
beforeAll(async () => {
  harness = await Harness.start();
  workers = new HttpWorkers(harness);
});
afterAll(() => harness.close());

const NUMBER = { type: 'number' };

describe('reports', () => {
  let engine: ChildProcess | undefined;
  const startEngine = (): void => {
    engine = fork(join(import.meta.dirname, '../../orchestrator/src/main.ts'), [], {
      env: {
        ...harness.environment,
        CONNECTA_WEBHOOK_KEY: harness.leaseKey,
        PATH: process.env['PATH'],
        LOG_LEVEL: 'error',
        ORCHESTRATOR_PORT: '0',
      },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  };
  afterEach(async () => {
    const running = engine;
    engine = undefined;
    if (!running || running.exitCode !== null) return;
    running.kill('SIGTERM');
    await once(running, 'exit');
  });

  test('are acknowledged, started and completed; the same end again is the same 200, another is a 409', async () => {
    startEngine();
    const workerId = await workers.register();
    const { id, lease } = await workers.invoke();
    await workers.claim(workerId);
    await workers.post(id, 'ack', lease).expect(200);
    await workers.post(id, 'ack', lease).expect(200);
    expect(await harness.store.prisma.jobClaim.findFirst({ where: { jobId: id } })).toMatchObject({
      ackedAt: expect.any(Date) as unknown,
    });
    await workers.post(id, 'start', lease).expect(200);
    await until(async () => (await harness.store.prisma.job.findUniqueOrThrow({ where: { id } })).state === 'started');
    const beat = await workers.post(id, 'heartbeat', lease, { progress: 0.5 }).expect(200);
    expect(beat.body).toEqual({ cancel: false, stale: false });
    await until(async () => (await harness.store.prisma.job.findUniqueOrThrow({ where: { id } })).progress === 0.5);
    const done = await workers.post(id, 'complete', lease, { value: { a: [1] } }).expect(200);
    expect(done.body).toEqual({ attempt: 1, state: 'completed' });
    expect((await workers.post(id, 'complete', lease, { value: { a: [1] } }).expect(200)).body).toEqual(done.body);
    const late = await workers.post(id, 'complete', lease, { value: 2 }).expect(409);
    expect(late.body).toMatchObject({ code: 'already_ended', state: 'completed', winningAttempt: 1 });
    await until(() => harness.store.prisma.lateReport.count({ where: { jobId: id } }));
    // Sent again and again, it is kept aside once.
    await workers.post(id, 'complete', lease, { value: 2 }).expect(409);
    expect((await workers.post(id, 'heartbeat', lease, {}).expect(200)).body).toMatchObject({
      stale: true,
      winningAttempt: 1,
    });
    await workers.post(id, 'start', lease).expect(409);
    await sleep(300);
    expect(await harness.store.prisma.lateReport.count({ where: { jobId: id } })).toBe(1);
  });

  test('of a result say the version that ran: that of the instance, unless the worker tells another', async () => {
    startEngine();
    const schemas = { settingsSchema: {}, inputSchema: {}, outputSchema: {} };
    const workerId = await workers.register('painter', { functions: [{ name: 'f', version: '1.1.0', ...schemas }] });
    for (const [told, ran] of [
      [{}, '1.1.0'],
      [{ functionVersion: '1.2.0' }, '1.2.0'],
      [{ functionVersion: '1.0.0' }, null],
    ] as const) {
      const { id, lease } = await workers.invoke();
      await workers.claim(workerId);
      await workers.post(id, 'complete', lease, { value: 1, ...told }).expect(200);
      expect((await harness.store.prisma.job.findUniqueOrThrow({ where: { id } })).ranVersion).toBe(ran);
    }
  });

  test('of a result that breaks its schema, or with misplaced new items, fail the job, told whose fault it is', async () => {
    startEngine();
    const functions = [{ name: 'f', version: '1.2.3', settingsSchema: {}, inputSchema: {}, outputSchema: NUMBER }];
    const workerId = await workers.register('packer', { functions });
    const { id, lease } = await workers.invoke({ type: 'packer' });
    await workers.claim(workerId, {}, 'packer');
    const done = await workers.post(id, 'complete', lease, { value: 'seven' }, 'packer').expect(200);
    expect(done.body).toEqual({ attempt: 1, state: 'error' });
    expect((await workers.post(id, 'complete', lease, { value: 'seven' }, 'packer').expect(200)).body).toEqual(
      done.body,
    );
    const { error } = await harness.store.prisma.job.findUniqueOrThrow({ where: { id } });
    expect(error).toEqual({
      ...{ kind: 'permanent', code: 'invalid_output' },
      message: 'the result of f 1.2.3 (worker type packer, team team) breaks its outputSchema: / must be number',
    });
    const second = await workers.invoke({ type: 'packer' });
    await workers.claim(workerId, {}, 'packer');
    await workers.post(second.id, 'complete', second.lease, { value: 7 }, 'packer').expect(200);
    // New items are an item's to return.
    const third = await workers.invoke({ type: 'packer' });
    await workers.claim(workerId, {}, 'packer');
    const told = (newItems: unknown) =>
      workers.post(third.id, 'complete', third.lease, { value: 7, newItems }, 'packer');
    await told({ not: 'a list' }).expect(400);
    await told(['x'.repeat(9000)]).expect(413);
    expect((await told([2]).expect(200)).body).toEqual({ attempt: 1, state: 'error' });
    const job = await harness.store.prisma.job.findUniqueOrThrow({ where: { id: third.id } });
    expect(job.error).toMatchObject({ kind: 'permanent', code: 'no_for_each' });
  });

  test('of an older attempt name the one that won', async () => {
    const { id, lease } = await workers.invoke();
    await workers.claim(await workers.register());
    await harness.store.prisma.job.update({ where: { id }, data: { attempt: 3 } });
    for (const [what, body] of [
      ['ack', undefined],
      ['start', undefined],
      ['complete', { value: 1 }],
      ['fail', { kind: 'retryable', code: 'c', message: 'm' }],
    ] as const) {
      const answer = await workers.post(id, what, lease, body).expect(409);
      expect(answer.body).toMatchObject({ code: 'stale_attempt', winningAttempt: 3 });
    }
    expect((await workers.post(id, 'heartbeat', lease, {})).body).toEqual({
      cancel: false,
      stale: true,
      winningAttempt: 3,
    });
  });

  test('of a cancelled order are refused, and its heartbeat says so', async () => {
    const { id, lease } = await workers.invoke();
    await workers.claim(await workers.register());
    const { orderId } = await harness.store.prisma.job.findUniqueOrThrow({ where: { id } });
    await harness.store.prisma.order.update({ where: { id: orderId }, data: { state: 'cancelled' } });
    expect((await workers.post(id, 'heartbeat', lease, {})).body).toEqual({ cancel: true, stale: false });
    const answer = await workers.post(id, 'complete', lease, { value: 1 }).expect(409);
    expect(answer.body).toMatchObject({ code: 'already_ended', state: 'cancelled' });
  });

  test('that nobody has decided on yet are to be sent again, and count then', async () => {
    const { id, lease } = await workers.invoke();
    await workers.claim(await workers.register());
    const early = await workers
      .post(id, 'fail', lease, { kind: 'permanent', code: 'broken', message: 'it is' })
      .expect(503);
    expect(early.headers['retry-after']).toBe('1');
    // It has acknowledged its claim all the same: the ack timer does not take the job away before it is sent again.
    expect(await harness.store.prisma.jobClaim.findFirst({ where: { jobId: id } })).toMatchObject({
      ackedAt: expect.any(Date) as unknown,
    });
    await harness.store.prisma.jobClaim.updateMany({ where: { jobId: id }, data: { ackBy: new Date(0) } });
    startEngine();
    const again = await workers
      .post(id, 'fail', lease, { kind: 'permanent', code: 'broken', message: 'it is' })
      .expect(200);
    expect(again.body).toEqual({ attempt: 1, state: 'error' });
    const job = await harness.store.prisma.job.findUniqueOrThrow({ where: { id } });
    expect(job).toMatchObject({ state: 'error', error: { kind: 'permanent', code: 'broken' } });
    await workers.post(id, 'fail', lease, { kind: 'permanent', code: 'broken', message: 'it is' }).expect(200);
  });

  test('of a failure are the same 200 again when the next attempt has begun, or has failed the same way', async () => {
    startEngine();
    const workerId = await workers.register();
    const { id, lease } = await workers.invoke();
    await workers.claim(workerId);
    const failure = { kind: 'retryable', code: 'flaky', message: 'not today' };
    await workers.post(id, 'fail', lease, failure).expect(200);
    const [second] = jobsOf(await workers.claim(workerId, { waitMs: 30_000 }));
    await workers.post(id, 'start', second!.lease).expect(200);
    await until(async () => (await harness.store.prisma.job.findUniqueOrThrow({ where: { id } })).state === 'started');
    // As if be-api had died between the report and its note of it.
    const forget = () =>
      harness.store.prisma.jobClaim.updateMany({ where: { jobId: id }, data: { recordedHash: null } });
    await forget();
    await workers.post(id, 'fail', lease, failure).expect(200);
    await workers.post(id, 'fail', lease, { ...failure, message: 'another' }).expect(409);
    await workers.post(id, 'fail', second!.lease, failure).expect(200);
    await forget();
    await workers.post(id, 'fail', lease, failure).expect(200);
    await workers.post(id, 'fail', second!.lease, failure).expect(200);
    const [third] = jobsOf(await workers.claim(workerId, { waitMs: 30_000 }));
    await workers.post(id, 'complete', third!.lease, { value: 1 }).expect(200);
  });

  test('of holding a job that stop coming cost the claim; who registers anew goes on with what it lists', async () => {
    const { prisma, pool } = harness.store;
    const [one, two] = [await workers.invoke(), await workers.invoke()];
    const instance = { instance: 'claims-anew' };
    const first = await workers.register('painter', instance);
    for (const { lease, jobId } of jobsOf(await workers.claim(first, { slots: 2 }))) {
      await workers.post(jobId, 'ack', lease).expect(200);
    }
    startEngine();
    const second = await workers.register('painter', instance);
    const beat = { freeSlots: 0, held: [{ jobId: one.id, attempt: 1 }] };
    const told = await harness.as('painter').post(`/v1/workers/${second}/heartbeat`).send(beat).expect(200);
    expect(told.body).toEqual({ cancel: [], stale: [] });
    await sleep(3_000);
    expect(await prisma.job.findMany({ where: { id: { in: [one.id, two.id] } } })).toMatchObject([
      { attempt: 1 },
      { attempt: 1 },
    ]);
    // What it does not list in time crashed with the process before it.
    const ago = `now() - interval '16 seconds'`;
    await pool.query(`UPDATE worker_instances SET ended_at = ${ago} WHERE id = $1`, [first]);
    await pool.query(`UPDATE job_holds SET seen_at = ${ago} WHERE job_id = $1`, [two.id]);
    const [again] = jobsOf(await workers.claim(second, { waitMs: 30_000 }));
    expect(again).toMatchObject({ jobId: two.id, attempt: 2 });
    expect(await prisma.job.findUniqueOrThrow({ where: { id: two.id } })).toMatchObject({ lost: 1, crashed: 1 });
    // Acknowledged, never started, and nobody lists it any more: lost, and with its worker if that is lost, too.
    await pool.query(`UPDATE worker_instances SET state = 'lost', ended_at = now() WHERE id = $1`, [second]);
    await pool.query(`UPDATE job_holds SET seen_at = now() - interval '31 seconds' WHERE job_id = $1`, [one.id]);
    const [third] = jobsOf(await workers.claim(await workers.register(), { waitMs: 30_000 }));
    expect(third).toMatchObject({ jobId: one.id, attempt: 2 });
    expect(await prisma.job.findUniqueOrThrow({ where: { id: one.id } })).toMatchObject({ lost: 1, crashed: 1 });
  });

  test('of one job keep nobody else waiting, however many come at once while its row is locked', async () => {
    const [busy, other] = [await workers.register(), await workers.register()];
    const { id, lease } = await workers.invoke();
    await workers.claim(busy);
    const holder = await harness.store.engine.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT FROM job_claims WHERE job_id = $1 FOR UPDATE', [id]);
      const acks = Array.from({ length: 20 }, () => workers.post(id, 'ack', lease).expect(200).then());
      await until(async () => (await holder.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount);
      const beat = { freeSlots: 1, held: [] };
      await harness.as('painter').post(`/v1/workers/${other}/heartbeat`).send(beat).expect(200);
      await holder.query('ROLLBACK');
      await Promise.all(acks);
    } finally {
      holder.release();
    }
  });

  test('with a foreign lease, of another type or with too large a value are refused', async () => {
    const [one, two] = [await workers.invoke(), await workers.invoke()];
    await workers.claim(await workers.register(), { slots: 2 });
    expect((await workers.post(one.id, 'ack', two.lease).expect(409)).body).toMatchObject({ code: 'lease_invalid' });
    expect((await workers.post(one.id, 'ack', one.lease, undefined, 'packer').expect(409)).body).toMatchObject({
      code: 'lease_invalid',
    });
    expect(
      (await workers.post(one.id, 'complete', one.lease, { value: 'x'.repeat(9_000) }).expect(413)).body,
    ).toMatchObject({
      code: 'too_large',
    });
    await harness.as('painter').post(`/v1/jobs/${one.id}/ack`).expect(400);
  });

  test('are not needed for a claim to lapse: what nobody acknowledged in time is invoked again', async () => {
    const { id } = await workers.invoke();
    const workerId = await workers.register();
    expect(jobsOf(await workers.claim(workerId))).toHaveLength(1);
    await harness.store.prisma.jobClaim.updateMany({ where: { jobId: id }, data: { ackBy: new Date(0) } });
    startEngine();
    const [again] = jobsOf(await workers.claim(workerId, { waitMs: 30_000 }));
    expect(again).toMatchObject({ jobId: id, attempt: 2 });
    // What its worker leaves behind is given to others at once.
    await workers.post(id, 'ack', again!.lease).expect(200);
    await harness.as('painter').delete(`/v1/workers/${workerId}`).expect(204);
    const [third] = jobsOf(await workers.claim(await workers.register(), { waitMs: 30_000 }));
    expect(third).toMatchObject({ jobId: id, attempt: 3 });
  });
});
