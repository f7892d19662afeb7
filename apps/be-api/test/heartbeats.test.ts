import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type WorkerInstanceId } from '@connecta/contracts';
import { askToDrain } from '@connecta/store';
import { Harness, faultPaths, registration } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

describe('heartbeats', () => {
  const beat = async (id: string, body: object) =>
    (
      await harness
        .as('painter')
        .post(`/v1/workers/${id}/heartbeat`)
        .send({ freeSlots: 1, held: [], ...body })
        .expect(200)
    ).body as { drain?: boolean; cancel: unknown[]; stale: unknown[] };

  test('keep holds of what is held rightly, and name what is cancelled or stale', async () => {
    const { workerId } = await harness.register(registration('painter'));
    const mine = await harness.job({ workerType: 'painter', state: 'started', attempt: 2 });
    const early = await harness.job({ workerType: 'painter', state: 'invoked' });
    const cancelled = await harness.job({ workerType: 'painter', state: 'started', orderState: 'cancelled' });
    const ended = await harness.job({ workerType: 'painter', state: 'completed' });
    const foreign = await harness.job({ workerType: 'packer', state: 'started' });
    const held = [
      { jobId: mine.id, attempt: 2, progress: 0.5 },
      { jobId: mine.id, attempt: 1 },
      { jobId: early.id, attempt: 1 },
      { jobId: cancelled.id, attempt: 1 },
      { jobId: ended.id, attempt: 1 },
      { jobId: foreign.id, attempt: 1 },
      { jobId: newId(), attempt: 1 },
    ];
    const answer = await beat(workerId, { held, freeSlots: 3 });
    expect(answer.drain).toBeUndefined();
    expect(answer.cancel).toEqual([{ jobId: cancelled.id, attempt: 1 }]);
    expect(answer.stale).toHaveLength(4);
    expect(answer.stale).toEqual(
      expect.arrayContaining([
        { jobId: mine.id, attempt: 1 },
        { jobId: ended.id, attempt: 1 },
        { jobId: foreign.id, attempt: 1 },
      ]),
    );
    const { prisma } = harness.store;
    const holds = await prisma.jobHold.findMany({ where: { instanceId: workerId } });
    expect(holds.map((hold) => hold.jobId).toSorted()).toEqual([mine.id, early.id].toSorted());
    const job = await prisma.job.findUniqueOrThrow({ where: { id: mine.id } });
    expect(job.progress).toBe(0.5);
    expect(job.completeBy?.getTime()).toBeGreaterThan(Date.now() + 29 * 60_000);
    // Progress never goes back, and the foreign job was not touched.
    await beat(workerId, { held: [{ jobId: mine.id, attempt: 2, progress: 0.2 }] });
    expect(await prisma.job.findUniqueOrThrow({ where: { id: mine.id } })).toMatchObject({ progress: 0.5 });
    expect(await prisma.jobHold.count({ where: { jobId: foreign.id } })).toBe(0);
  });

  test('a draining instance stays so until it leaves, and what it held is free at once', async () => {
    const { workerId } = await harness.register(registration('painter', { instance: 'leaver' }));
    const { id } = await harness.job({ workerType: 'painter', state: 'started' });
    await beat(workerId, { held: [{ jobId: id, attempt: 1 }] });
    expect(await beat(workerId, { draining: true })).toMatchObject({ drain: true });
    expect(await beat(workerId, {})).toMatchObject({ drain: true });
    await harness.as('painter').delete(`/v1/workers/${workerId}`).expect(204);
    await harness.as('painter').delete(`/v1/workers/${workerId}`).expect(204);
    const { prisma } = harness.store;
    expect(await prisma.workerInstance.findUniqueOrThrow({ where: { id: workerId } })).toMatchObject({ state: 'gone' });
    expect(await prisma.jobHold.count({ where: { instanceId: workerId } })).toBe(0);
    const dead = { freeSlots: 0, held: [] };
    await harness.as('painter').post(`/v1/workers/${workerId}/heartbeat`).send(dead).expect(410);
  });

  test('an instance that an operator drains learns it', async () => {
    const { workerId } = await harness.register(registration('painter', { instance: 'drained' }));
    expect(await askToDrain(harness.store, 'painter', workerId as WorkerInstanceId)).toMatchObject({
      state: 'draining',
      freeSlots: 0,
    });
    expect(await beat(workerId, {})).toMatchObject({ drain: true });
  });

  test('an instance that was lost while it drained goes on draining when it speaks again', async () => {
    const { workerId } = await harness.register(registration('painter', { instance: 'forgetful' }));
    await askToDrain(harness.store, 'painter', workerId as WorkerInstanceId);
    const { prisma } = harness.store;
    await prisma.workerInstance.update({ where: { id: workerId }, data: { state: 'lost', endedAt: new Date() } });
    expect(await beat(workerId, {})).toMatchObject({ drain: true });
    expect(await prisma.workerInstance.findUniqueOrThrow({ where: { id: workerId } })).toMatchObject({
      state: 'draining',
    });
  });

  test('a lost instance that speaks again is ready, and never has more free slots than slots', async () => {
    const { workerId } = await harness.register(registration('painter', { instance: 'sleeper', slots: 2 }));
    const { prisma } = harness.store;
    await prisma.workerInstance.update({ where: { id: workerId }, data: { state: 'lost', endedAt: new Date() } });
    await beat(workerId, { freeSlots: 9 });
    expect(await prisma.workerInstance.findUniqueOrThrow({ where: { id: workerId } })).toMatchObject({
      state: 'ready',
      freeSlots: 2,
      endedAt: null,
    });
  });

  test('an unknown id is a 404, another type’s a 403, a wrong body a 400', async () => {
    const { workerId } = await harness.register(registration('packer'), 'packer');
    const right = { freeSlots: 1, held: [] };
    const post = (id: string, body: object) => harness.as('painter').post(`/v1/workers/${id}/heartbeat`).send(body);
    await post(newId(), right).expect(404);
    await post(workerId, right).expect(403);
    await post('nonsense', right).expect(400);
    await harness.as('painter').delete(`/v1/workers/${workerId}`).expect(403);
    await harness.as('painter').delete(`/v1/workers/${newId()}`).expect(404);
    const wrong = await post(workerId, { freeSlots: -1, held: [{ jobId: 'x', attempt: 0 }] }).expect(400);
    expect(faultPaths(wrong.body).toSorted()).toEqual(['/freeSlots', '/held/0/attempt', '/held/0/jobId']);
  });
});
