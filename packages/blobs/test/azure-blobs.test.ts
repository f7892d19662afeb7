import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newId } from '@connecta/contracts';
import { startFaultProxy, testServices, type FaultProxy, type TestServices } from '@connecta/embedded';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openBlobs } from '../src/index.ts';
import { testBlobs } from './blobs.testsuite.ts';

const container = `blobs-${newId()}`;
let services: TestServices;
beforeAll(async () => {
  services = await testServices();
});
afterAll(() => services.close());

describe('Azure Blob Storage', () => {
  testBlobs(() => openBlobs({ connectionString: services.blobConnectionString, container }));
});

describe('a storage that fails', () => {
  let proxy: FaultProxy;
  const open = () => openBlobs({ connectionString: proxy.connectionString, container });
  beforeAll(async () => {
    proxy = await startFaultProxy(services.blobConnectionString);
  });
  afterAll(() => proxy.close());

  test('every other request refused or reset is tried again', async () => {
    const blobs = await open();
    let count = 0;
    proxy.decide = () => (count++ % 2 === 0 ? (count % 4 === 1 ? 'unavailable' : 'reset') : 'pass');
    const bytes = randomBytes(9 * 1024 * 1024);
    const id = newId();
    const known = await blobs.put(Readable.from([bytes]), { id, mediaType: 'a/b' });
    expect((await buffer(await blobs.get(id, { expect: known }))).equals(bytes)).toBe(true);
    expect(await blobs.delete(id)).toBe(true);
  });

  test('a download goes on where its connection broke', async () => {
    proxy.decide = () => 'pass';
    const blobs = await open();
    const bytes = randomBytes(9 * 1024 * 1024);
    const id = newId();
    const known = await blobs.put(Readable.from([bytes]), { id, mediaType: 'a/b' });
    let gets = 0;
    proxy.decide = (req) => (req.method === 'GET' && gets++ < 3 ? { cutBodyAfter: 2_000_000 } : 'pass');
    const back = await buffer(await blobs.get(id, { expect: known }));
    expect(createHash('sha256').update(back).digest('hex')).toBe(known.sha256);
    expect(gets).toBe(4);
  });

  test('when it stays away every call says so by name', async () => {
    proxy.decide = () => 'pass';
    const blobs = await open();
    proxy.decide = () => 'unavailable';
    const gone = { name: 'StorageUnavailableError' };
    const small = blobs.put(Readable.from([Buffer.from('x')]), { id: newId(), mediaType: 'a/b' });
    const large = blobs.put(Readable.from([randomBytes(9_000_000)]), { id: newId(), mediaType: 'a/b' });
    const calls = [
      small,
      large,
      blobs.get(newId(), { expect: {} }),
      blobs.exists(newId()),
      blobs.delete(newId()),
      open(),
    ];
    await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(gone)));
  });
});
