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
  const at = (days: number): Date => new Date(Date.now() - days * 86_400_000);
  const [old, fresh] = [newId<JobId>(), newId<JobId>()];
  await store.prisma.jobLog.createMany({
    data: [
      { jobId: old, at: at(31), ...row },
      { jobId: fresh, at: at(29), ...row },
    ],
  });
  await new Retention({ store, openBlobs: () => Promise.resolve(blobs), log: silentLogger() }).tick();
  expect((await store.prisma.jobLog.findMany()).map(({ jobId }) => jobId)).toEqual([fresh]);
});

test('Blob Storage that is away fails a turn, and the next one opens it again', async () => {
  let asked = 0;
  const open = (): Promise<Blobs> => (++asked === 1 ? Promise.reject(new Error('away')) : Promise.resolve(blobs));
  const retention = new Retention({ store, openBlobs: open, log: silentLogger() });
  await expect(retention.tick()).rejects.toThrow('away');
  expect(await retention.tick()).toBe(false);
});
