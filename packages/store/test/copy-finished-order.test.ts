import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isId, newId, type JobId, type OrderId } from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import { copyFinishedOrder, openStore, type Store } from '../src/index.ts';

describe('copies of a finished order', () => {
  const order = newId<OrderId>();
  const jobs = [newId<JobId>(), newId<JobId>()] as const;
  let services: TestServices;
  let databaseUrl: string;
  let store: Store;

  beforeAll(async () => {
    services = await testServices();
    databaseUrl = await services.databaseUrl('copies');
    store = openStore({ databaseUrl, applicationName: 'test' });
  });
  afterAll(async () => {
    await store.close();
    await services.close();
  });

  test('need an order that has completed', async () => {
    const copying = copyFinishedOrder(databaseUrl, { copies: 1, onProgress: () => {} });
    await expect(copying).rejects.toThrow('no order has completed yet');
  });

  test('have ids and times of their own, in all that the order left, and everything else of it', async () => {
    const times = { createdAt: new Date('2026-11-27T10:00:00Z'), finishedAt: new Date('2026-11-27T10:00:01Z') };
    const [clientId, planId] = [newId(), newId()];
    await store.prisma.order.create({
      data: {
        ...{ id: order, clientId, planId, state: 'completed', input: 5, result: 13, createdBy: 't', traceparent: 't' },
        ...times,
      },
    });
    for (const [n, id] of jobs.entries()) {
      const job = { id, orderId: order, step: `s${n}`, state: 'completed', attempt: 1, input: n };
      await store.prisma.job.create({ data: { ...job, ...times } });
    }
    const events = jobs.map((jobId, n) => ({ type: 'job', step: `s${n}`, jobId }));
    await store.prisma.orderEvents.create({ data: { orderId: order, seq: 1, events } });

    const told: number[] = [];
    await copyFinishedOrder(databaseUrl, { copies: 3, onProgress: (copied) => told.push(copied) });

    expect(told).toEqual([3]);
    const copies = await store.prisma.order.findMany({ where: { id: { not: order } }, orderBy: { id: 'asc' } });
    expect(copies).toHaveLength(3);
    for (const copy of copies) {
      expect(isId(copy.id)).toBe(true);
      expect(copy).toMatchObject({ state: 'completed', input: 5, result: 13, clientId, planId });
      expect(Number(copy.finishedAt) - Number(copy.createdAt)).toBe(1_000);
      const own = await store.prisma.job.findMany({ where: { orderId: copy.id }, orderBy: { id: 'asc' } });
      expect(own).toMatchObject([
        { step: 's0', input: 0, state: 'completed' },
        { step: 's1', input: 1, state: 'completed' },
      ]);
      const history = await store.prisma.orderEvents.findMany({ where: { orderId: copy.id } });
      expect(history).toMatchObject([
        { seq: 1, events: own.map(({ id, step }) => ({ type: 'job', step, jobId: id })) },
      ]);
    }
    // Ids are in the order of the times, all of which lie before the order that was copied.
    const placed = [...copies.map(({ createdAt }) => Number(createdAt)), Number(times.createdAt)];
    expect(placed).toEqual(placed.toSorted((a, b) => a - b));
    expect(await store.prisma.job.count()).toBe(4 * jobs.length);
  });
});
