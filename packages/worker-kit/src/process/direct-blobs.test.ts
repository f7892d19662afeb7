import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, type BlobId, type BlobRef, type JobId } from '@connecta/contracts';
import { openBlobs } from '@connecta/blobs';
import { testServices, type TestServices } from '@connecta/embedded';
import { MemoryBlobs } from '../testing/memory-blobs.ts';
import { directReads } from './direct-blobs.ts';

let services: TestServices;
beforeAll(async () => {
  services = await testServices();
}, 60_000);
afterAll(() => services.close());

test('a trusted type reads past be-api and writes through it', async () => {
  const storage = {
    connectionString: services.blobConnectionString,
    container: `direct-${randomBytes(4).toString('hex')}`,
  };
  const bytes = randomBytes(10_000);
  const blobId = newId<BlobId>();
  const stored = await openBlobs(storage);
  await stored.put(Readable.from([bytes]), { id: blobId, mediaType: 'text/plain' });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const ref: BlobRef = { blobId, mediaType: 'text/plain', size: bytes.length, sha256 };

  const gateway = new MemoryBlobs();
  const { signal } = new AbortController();
  const attempt = { jobId: newId<JobId>(), attempt: 1, lease: 'l', traceparent: 't', signal };
  const blobs = directReads(storage, { forAttempt: () => gateway }).forAttempt(attempt);
  expect((await buffer(await blobs.open(ref))).equals(bytes)).toBe(true);
  const made = await blobs.create({ mediaType: 'text/plain' }, Buffer.from('x'));
  expect((await gateway.read(made)).toString()).toBe('x');

  await expect(blobs.open({ ...ref, blobId: newId<BlobId>() })).rejects.toMatchObject({ kind: 'retryable' });
  await expect(buffer(await blobs.open({ ...ref, sha256: '0'.repeat(64) }))).rejects.toThrow();
});
