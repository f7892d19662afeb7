import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type JobMessage, type WorkerInstanceId } from '@connecta/contracts';
import { recordClaims } from '@connecta/store';
import { Harness } from './harness.ts';
import { HttpWorkers, jobsOf, until } from './http-worker.ts';

let harness: Harness;
let workers: HttpWorkers;
beforeAll(async () => {
  harness = await Harness.start();
  workers = new HttpWorkers(harness);
});
afterAll(() => harness.close());

describe('a claim', () => {
  test('waits for a job, and gives its message, what it belongs to and its times', async () => {
    const workerId = await workers.register();
    const waiting = workers.claim(workerId);
    await sleep(200);
    const { id, lease } = await workers.invoke({ value: 7 });
    const answer = await waiting;
    expect(answer.status).toBe(200);
    const [job] = jobsOf(answer);
    expect(job).toMatchObject({
      jobId: id,
      attempt: 1,
      step: 'one',
      function: 'f',
      value: 7,
      profileRevision: 1,
      lease,
    });
    const inMs = (time: string): number => Date.parse(time) - Date.now();
    expect(inMs(job!.ackBy)).toBeGreaterThan(5_000);
    expect(inMs(job!.startBy)).toBeGreaterThan(inMs(job!.ackBy));
    expect(inMs(job!.completeBy)).toBeGreaterThan(inMs(job!.startBy));
    // The queue has let go of it, and the database says who holds it.
    await until(async () => (await harness.queue.jobs.counts('painter')).active === 0);
    expect(await harness.store.prisma.jobHold.findFirst({ where: { jobId: id } })).toMatchObject({
      instanceId: workerId,
    });
  });

  test('repeated under its request id gives the same jobs, and never those of another request', async () => {
    const workerId = await workers.register();
    const [one, two] = [await workers.invoke(), await workers.invoke()];
    const requestId = newId();
    const first = jobsOf(await workers.claim(workerId, { requestId, slots: 2 }));
    expect(first.map(({ jobId }) => jobId).toSorted()).toEqual([one.id, two.id].toSorted());
    const again = jobsOf(await workers.claim(workerId, { requestId, slots: 2, waitMs: 0 }));
    expect(again.map(({ lease }) => lease).toSorted()).toEqual(first.map(({ lease }) => lease).toSorted());
    expect(jobsOf(await workers.claim(workerId, { waitMs: 0 }))).toEqual([]);
    const other = await workers.register();
    expect(jobsOf(await workers.claim(other, { requestId, waitMs: 0 }))).toEqual([]);
    // One of them was cancelled meanwhile: it is not given again.
    await harness.store.prisma.job.update({ where: { id: one.id }, data: { state: 'cancelled' } });
    expect(jobsOf(await workers.claim(workerId, { requestId })).map(({ jobId }) => jobId)).toEqual([two.id]);
  });

  test('takes what its slots are, and leaves the rest to others', async () => {
    const [a, b] = [await workers.register(), await workers.register()];
    const sent = new Set<string>();
    for (let i = 0; i < 5; i++) sent.add((await workers.invoke()).id);
    const first = jobsOf(await workers.claim(a, { slots: 3 }));
    expect(first.length).toBeLessThanOrEqual(3);
    const seen = new Set(first.map(({ jobId }) => jobId));
    while (seen.size < 5) for (const { jobId } of jobsOf(await workers.claim(b, { slots: 4 }))) seen.add(jobId);
    expect(seen).toEqual(sent);
  });

  test('never gives what was cancelled, replaced or ended', async () => {
    const workerId = await workers.register();
    await workers.invoke({ orderState: 'cancelled' });
    await workers.invoke({ state: 'completed' });
    const stale = await workers.invoke();
    await harness.store.prisma.job.update({ where: { id: stale.id }, data: { attempt: 2 } });
    const live = await workers.invoke();
    expect(jobsOf(await workers.claim(workerId)).map(({ jobId }) => jobId)).toEqual([live.id]);
    await until(async () => (await harness.queue.jobs.counts('painter')).waiting === 0);
  });

  test('whose sender went away takes nothing: the job goes to the next', async () => {
    const [a, b] = [await workers.register(), await workers.register()];
    const server = harness.app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const left = new AbortController();
    const gone = fetch(`http://127.0.0.1:${port}/v1/jobs/claim`, {
      method: 'POST',
      headers: { authorization: `Bearer ${harness.keys.painter}`, 'content-type': 'application/json' },
      body: JSON.stringify({ workerId: a, slots: 1, waitMs: 30_000, requestId: 'gone' }),
      signal: left.signal,
    }).catch(() => 'left');
    await sleep(300);
    left.abort();
    expect(await gone).toBe('left');
    await sleep(100);
    const { id } = await workers.invoke();
    expect(jobsOf(await workers.claim(b)).map(({ jobId }) => jobId)).toEqual([id]);
    expect(await harness.store.prisma.jobClaim.count({ where: { instanceId: a } })).toBe(0);
    server.close();
  });

  test('reaches the jobs of its own type alone, for its own instances', async () => {
    const [painter, packer] = [await workers.register(), await workers.register('packer')];
    const { id } = await workers.invoke({ type: 'packer' });
    expect(jobsOf(await workers.claim(painter, { waitMs: 300 }))).toEqual([]);
    expect((await workers.claim(packer, {}, 'painter')).status).toBe(403);
    expect((await workers.claim(newId())).status).toBe(404);
    expect(jobsOf(await workers.claim(packer, {}, 'packer')).map(({ jobId }) => jobId)).toEqual([id]);
  });

  test('of an instance that drains is answered so at once, of one that left is refused', async () => {
    const workerId = await workers.register();
    await harness
      .as('painter')
      .post(`/v1/workers/${workerId}/heartbeat`)
      .send({ freeSlots: 1, held: [], draining: true });
    expect((await workers.claim(workerId, { waitMs: 30_000 })).body).toEqual({ jobs: [], drain: true });
    await harness.as('painter').delete(`/v1/workers/${workerId}`).expect(204);
    expect((await workers.claim(workerId)).status).toBe(410);
  });

  test('sent again while the first waits gives its jobs to the second alone, and never more than its slots', async () => {
    const workerId = await workers.register();
    const requestId = newId();
    const first = workers.claim(workerId, { requestId, waitMs: 20_000 }).then((answer) => answer);
    await sleep(200);
    // Both are under way while the jobs come in.
    const sent = [workers.invoke(), workers.invoke(), workers.invoke()];
    const again = [1, 2, 3].map(() => workers.claim(workerId, { requestId, waitMs: 20_000 }).then((answer) => answer));
    await Promise.all([first, ...sent]);
    const answers = (await Promise.all(again)).map(jobsOf);
    const { prisma } = harness.store;
    expect(await prisma.jobClaim.count({ where: { instanceId: workerId, requestId } })).toBe(1);
    expect(answers.at(-1)).toHaveLength(1);
    const left = new Set<string>();
    while (left.size < 2) for (const { jobId } of jobsOf(await workers.claim(workerId, { slots: 2 }))) left.add(jobId);
  });

  test('sent to two replicas at once is given no more than its slots', async () => {
    const workerId = await workers.register();
    const [one, two] = [await workers.invoke(), await workers.invoke()];
    const claimed = await Promise.all(
      [one, two].map(({ id: jobId }) =>
        recordClaims(harness.store, {
          ...{ workerId: workerId as WorkerInstanceId, workerType: 'painter', requestId: 'twice' },
          deliveries: [{ jobId, attempt: 1, function: 'f', message: {} as JobMessage }],
          timers: { ackMs: 10_000, startMs: 10_000, completeMs: 10_000 },
        }),
      ),
    );
    expect(claimed.filter((given) => given !== null)).toHaveLength(1);
    const rest = jobsOf(await workers.claim(workerId, { slots: 2 }));
    expect(rest).toHaveLength(1);
  });

  test('tells once what was cancelled or replaced meanwhile, at once when it waits', async () => {
    const workerId = await workers.register();
    const [one, two] = [await workers.invoke(), await workers.invoke()];
    const given = new Set<string>();
    while (given.size < 2)
      for (const { jobId } of jobsOf(await workers.claim(workerId, { slots: 2 }))) given.add(jobId);
    const waiting = workers.claim(workerId, { waitMs: 60_000 }).then((answer) => answer);
    await sleep(200);
    await harness.store.prisma.job.update({ where: { id: one.id }, data: { state: 'cancelled' } });
    expect((await waiting).body).toEqual({ jobs: [], cancel: [{ jobId: one.id, attempt: 1 }] });
    await harness.store.prisma.job.update({ where: { id: two.id }, data: { attempt: 2 } });
    const stale = await workers.claim(workerId, { waitMs: 0 });
    expect(stale.body).toEqual({ jobs: [], stale: [{ jobId: two.id, attempt: 1 }] });
    expect((await workers.claim(workerId, { waitMs: 0 })).body).toEqual({ jobs: [] });
  });

  test('counts as a sign of life', async () => {
    const workerId = await workers.register();
    const { prisma } = harness.store;
    await prisma.workerInstance.update({
      where: { id: workerId },
      data: { state: 'lost', endedAt: new Date(), lastSeenAt: new Date(0), freeSlots: 0 },
    });
    await workers.claim(workerId, { slots: 3, waitMs: 0 });
    const instance = await prisma.workerInstance.findUniqueOrThrow({ where: { id: workerId } });
    expect(instance).toMatchObject({ state: 'ready', endedAt: null, freeSlots: 3 });
    expect(instance.lastSeenAt.getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  test('with bounds that are not the protocol’s is refused', async () => {
    const workerId = await workers.register();
    for (const wrong of [{ slots: 0 }, { slots: 1_001 }, { waitMs: 60_001 }, { requestId: '' }, { workerId: 'x' }]) {
      expect((await workers.claim(workerId, wrong)).status).toBe(400);
    }
  });
});

describe('a job of a BullMQ runner and of HTTP workers', () => {
  test('goes to exactly one of them', async () => {
    const workerId = await workers.register();
    const seen: string[] = [];
    const runner = harness.queue.jobs.consume('painter', {
      instance: 'runner',
      slots: 1,
      handle: async ({ id }) => {
        seen.push(id.slice(0, 36));
        await sleep(20);
      },
    });
    await runner.ready;
    const sent = await Promise.all(Array.from({ length: 12 }, () => workers.invoke()));
    let claimed = 0;
    await until(async () => {
      for (const { jobId } of jobsOf(await workers.claim(workerId, { waitMs: 50 }))) {
        seen.push(jobId);
        claimed++;
      }
      return seen.length >= sent.length;
    });
    await runner.close(1_000);
    expect(seen.toSorted()).toEqual(sent.map(({ id }) => id).toSorted());
    expect(claimed).toBeGreaterThan(0);
  });
});
