import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBlobs, type Blobs } from '@connecta/blobs';
import { newId, type BlobId, type ClientId, type JobId } from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import { silentLogger } from '@connecta/runtime';
import { completeBlob, insertBlob, openStore, type Store } from '@connecta/store';
import { Retention } from '../src/retain/retention.ts';

let services: TestServices;
let store: Store;
let blobs: Blobs;
const clientId = newId<ClientId>();

beforeAll(async () => {
  services = await testServices();
  store = openStore({ databaseUrl: await services.databaseUrl('retention'), applicationName: 'retention' });
  blobs = await openBlobs({ connectionString: services.blobConnectionString, container: 'retention' });
  await store.prisma.client.create({ data: { id: clientId, name: 'keeper' } });
});
afterAll(async () => {
  await store.close();
  await services.close();
});

const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);

async function stored(expiresAt: Date): Promise<BlobId> {
  const id = newId<BlobId>();
  await insertBlob(store, { id, ownerClientId: clientId, createdBy: 'test', mediaType: 'text/plain' });
  const bytes = (async function* () {
    yield await Promise.resolve(Buffer.from('kept or not'));
  })();
  await completeBlob(store, { id, ...(await blobs.put(bytes, { id, mediaType: 'text/plain' })) });
  await store.prisma.blob.update({ where: { id }, data: { expiresAt } });
  return id;
}

test('blobs are deleted once they have expired, and not before', async () => {
  const expired = await stored(new Date(Date.now() - 3_600_000));
  const kept = await stored(new Date(Date.now() + 3_600_000));
  const retention = new Retention({ store, openBlobs: () => Promise.resolve(blobs), log: silentLogger() });
  expect(await retention.tick()).toBe(false);
  expect(await blobs.exists(expired)).toBe(false);
  expect(await blobs.exists(kept)).toBe(true);
});

test('what functions logged is kept for thirty days', async () => {
  const row = { attempt: 1, first: 1, count: 1, bytes: 2, lines: [] };
  const [old, fresh] = [newId<JobId>(), newId<JobId>()];
  await store.prisma.jobLog.createMany({
    data: [
      { jobId: old, at: daysAgo(31), ...row },
      { jobId: fresh, at: daysAgo(29), ...row },
    ],
  });
  await new Retention({ store, openBlobs: () => Promise.resolve(blobs), log: silentLogger() }).tick();
  expect((await store.prisma.jobLog.findMany()).map(({ jobId }) => jobId)).toEqual([fresh]);
});

test('reports that were kept aside stay for thirty days', async () => {
  const row = { orderId: newId(), attempt: 1, instance: 'i', reason: 'already_ended', report: {} };
  const [old, fresh] = [newId<JobId>(), newId<JobId>()];
  await store.prisma.lateReport.createMany({
    data: [
      { jobId: old, at: daysAgo(31), ...row },
      { jobId: fresh, at: daysAgo(29), ...row },
    ],
  });
  await new Retention({ store, openBlobs: () => Promise.resolve(blobs), log: silentLogger() }).tick();
  expect((await store.prisma.lateReport.findMany()).map(({ jobId }) => jobId)).toEqual([fresh]);
});

test('instances that ended a week ago are forgotten, all but the one of a type that was seen last', async () => {
  const instance = (workerType: string, state: string, days: number) => ({
    ...{
      id: newId(),
      workerType,
      instance: `${workerType}-${days}`,
      version: '1',
      language: 'x',
      slots: 1,
      freeSlots: 0,
    },
    ...{ state, heartbeatMs: 5000, lastSeenAt: daysAgo(days), endedAt: state === 'ready' ? null : daysAgo(days) },
  });
  await store.prisma.workerInstance.createMany({
    data: [
      ...[
        instance('live', 'gone', 30),
        instance('live', 'lost', 8),
        instance('live', 'gone', 6),
        instance('live', 'ready', 0),
      ],
      ...[instance('silent', 'gone', 30), instance('silent', 'lost', 20)],
    ],
  });
  await new Retention({ store, openBlobs: () => Promise.resolve(blobs), log: silentLogger() }).tick();
  const left = await store.prisma.workerInstance.findMany({ orderBy: { lastSeenAt: 'asc' } });
  expect(left.map((row) => row.instance)).toEqual(['silent-20', 'live-6', 'live-0']);
});

test('what became of a slot is kept for ninety days, and as long as something of it is under way', async () => {
  const scheduleId = newId();
  await store.prisma.schedule.create({
    data: {
      ...{
        id: scheduleId,
        name: 'old',
        times: {},
        order: {},
        overlap: 'skip',
        missed: 'last',
        maxCatchUp: 1,
        createdBy: 't',
      },
    },
  });
  const tick = (days: number, more: { state?: string; settled?: boolean } = {}) => ({
    ...{ scheduleId, slot: daysAgo(days), at: daysAgo(days), kind: 'slot', state: 'fired' },
    ...more,
  });
  await store.prisma.scheduleTick.createMany({
    data: [tick(92), tick(93, { state: 'queued' }), tick(94, { settled: false }), tick(89)],
  });
  await new Retention({ store, openBlobs: () => Promise.resolve(blobs), log: silentLogger() }).tick();
  const left = await store.prisma.scheduleTick.findMany({ orderBy: { slot: 'asc' } });
  expect(left.map(({ state, settled }) => [state, settled])).toEqual([
    ['fired', false],
    ['queued', true],
    ['fired', true],
  ]);
});

test('Blob Storage that is away fails a turn, and the next one opens it again', async () => {
  let asked = 0;
  const open = (): Promise<Blobs> => (++asked === 1 ? Promise.reject(new Error('away')) : Promise.resolve(blobs));
  const retention = new Retention({ store, openBlobs: open, log: silentLogger() });
  await expect(retention.tick()).rejects.toThrow('away');
  expect(await retention.tick()).toBe(false);
});
