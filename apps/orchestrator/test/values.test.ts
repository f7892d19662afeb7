import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type BlobId, type BlobRef, type ClientId, type JsonValue, type OrderId } from '@connecta/contracts';
import { openBlobs, type Blobs } from '@connecta/blobs';
import { findForgottenWork, postponeWork } from '@connecta/store';
import { Harness, scriptedStep } from './harness.ts';

describe('JSON in blobs that expressions look into', () => {
  let harness: Harness;
  let blobs: Blobs;

  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    await harness.orchestrator();
    harness.worker('scripted', ({ data }) => Promise.resolve({ value: data.value ?? null }));
    blobs = await openBlobs({
      connectionString: harness.services.blobConnectionString,
      container: harness.container,
    });
  });
  afterAll(() => harness.close());

  /** A blob of JSON; without bytes when they are lost. */
  const jsonBlob = async (text: string, more: { owner?: ClientId; isLost?: boolean } = {}): Promise<BlobRef> => {
    const { owner = harness.clientId, isLost = false } = more;
    const bytes = Buffer.from(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const ref = { blobId: newId<BlobId>(), mediaType: 'application/json', size: bytes.length, sha256 };
    const { blobId: id, mediaType, size } = ref;
    await harness.store.prisma.blob.create({
      data: { id, ownerClientId: owner, state: 'ready', mediaType, size, sha256 },
    });
    const source = (async function* () {
      yield bytes;
    })();
    if (!isLost) await blobs.put(source, { id, mediaType });
    return ref;
  };
  /** What an order ends with whose step looks into its input. */
  const looking = async (input: JsonValue): Promise<unknown> => {
    const look = { ...scriptedStep([]), with: 'input.n + 1' };
    const planId = await harness.plan({ steps: { look }, outputs: ['look'] });
    const [id] = (await harness.accept([{ planId, input }])) as [OrderId];
    await harness.ended([id], 10_000);
    const order = await harness.store.prisma.order.findUniqueOrThrow({ where: { id } });
    const job = await harness.store.prisma.job.findFirstOrThrow({ where: { orderId: id } });
    return job.error ?? order.result;
  };

  test('are read when they are of the client and what the reference says of them, and refused otherwise', async () => {
    const own = await jsonBlob('{"n": 41}');
    expect(await looking(own)).toBe(42);
    const large = await jsonBlob(JSON.stringify({ n: 1, more: 'x'.repeat(10_000) }));
    expect(await looking(large)).toBe(2);
    const unreadable = { kind: 'permanent', code: 'unreadable_value' };
    const other = await harness.store.prisma.client.create({ data: { id: newId(), name: 'other' } });
    await harness.store.prisma.blob.update({ where: { id: large.blobId }, data: { ownerClientId: other.id } });
    const image = await jsonBlob('{"n": 1}');
    await harness.store.prisma.blob.update({ where: { id: image.blobId }, data: { mediaType: 'image/png' } });
    for (const [what, ref] of Object.entries({
      foreign: await jsonBlob('{"n": 1}', { owner: other.id as ClientId }),
      'foreign and read before': large,
      'that never were': { ...own, blobId: newId<BlobId>() },
      'of another size': { ...own, size: 3 },
      'with another hash': { ...own, sha256: '0'.repeat(64) },
      'no JSON by their own word': image,
      'without bytes': await jsonBlob('{"n": 1}', { isLost: true }),
    })) {
      expect([what, await looking(ref)]).toMatchObject([what, unreadable]);
    }
  });

  test('work that could not be done is in nobody’s way', async () => {
    const planId = await harness.plan({ steps: { a: scriptedStep([]) }, outputs: ['a'] });
    const order = { clientId: harness.clientId, planId, state: 'completed', input: 1, createdBy: 't', traceparent: '' };
    const { id: orderId } = await harness.store.prisma.order.create({ data: { id: newId(), ...order } });
    const agoOf = async (step: string, agoMs: number): Promise<string> => {
      const job = { orderId, step, kind: 'resolve', state: 'waiting', attempt: 1, input: 1, work: 'nothing' };
      const workSince = new Date(Date.now() - agoMs);
      return (await harness.store.prisma.job.create({ data: { id: newId(), ...job, workSince } })).id;
    };
    const [late, early, failing] = [await agoOf('b', 60_000), await agoOf('c', 70_000), await agoOf('d', 80_000)];
    await postponeWork(harness.store, failing as never, 60_000);
    expect(await findForgottenWork(harness.store, 30_000, 1)).toEqual([early]);
    expect(await findForgottenWork(harness.store, 30_000, 5)).toEqual([early, late]);
  });
});
