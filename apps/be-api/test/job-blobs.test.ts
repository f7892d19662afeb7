import { createHash, randomBytes } from 'node:crypto';
import {
  leaseKey,
  newId,
  signLease,
  type BlobId,
  type BlobRef,
  type JobId,
  type JsonValue,
  type OrderId,
} from '@connecta/contracts';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Test } from 'supertest';
import { Harness } from './harness.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

type Job = { id: JobId; orderId: OrderId };

const runningJob = (attempt = 1): Promise<Job> => harness.job({ workerType: 'painter', state: 'started', attempt });

function lease(job: Job, more: { attempt?: number; workerType?: string; expiresInMs?: number } = {}): string {
  return signLease(leaseKey(harness.leaseKey), {
    ...{ orderId: job.orderId, jobId: job.id, attempt: more.attempt ?? 1, workerType: more.workerType ?? 'painter' },
    expiresAtMs: Date.now() + (more.expiresInMs ?? 60_000),
  });
}

const put = (job: Job, blobId: string, body: Buffer | string, headers: Record<string, string> = {}): Test =>
  harness
    .as('painter')
    .put(`/v1/jobs/${job.id}/blobs/${blobId}`)
    .set({ 'connecta-lease': lease(job), 'content-type': 'image/png', ...headers })
    .send(body);

const get = (job: Job, blobId: string, headers: Record<string, string> = {}): Test =>
  harness
    .as('painter')
    .get(`/v1/jobs/${job.id}/blobs/${blobId}`)
    .set({ 'connecta-lease': lease(job), ...headers });

/** A blob of a client: `client-x`'s, or another's. */
async function stored(
  bytes: string,
  mediaType = 'image/png',
  ownerClientId: string = harness.clientId,
): Promise<BlobRef> {
  const id = newId<BlobId>();
  const content = Buffer.from(bytes);
  await harness.blobs.put([content] as unknown as AsyncIterable<Buffer>, { id, mediaType });
  const ref = { mediaType, size: content.length, sha256: sha256(content) };
  await harness.store.prisma.blob.create({ data: { id, ownerClientId, state: 'ready', createdBy: 'test', ...ref } });
  return { blobId: id, ...ref };
}

async function give(job: Job, given: { input?: JsonValue; context?: JsonValue; params?: JsonValue }): Promise<void> {
  const { pool } = harness.store;
  const { input, context, params } = given;
  if (input !== undefined)
    await pool.query('UPDATE jobs SET input = $2 WHERE id = $1', [job.id, JSON.stringify(input)]);
  if (context !== undefined) {
    await pool.query('UPDATE jobs SET context = $2 WHERE id = $1', [job.id, JSON.stringify(context)]);
  }
  if (params !== undefined) {
    const plan = { steps: { one: { params } } };
    await pool.query('UPDATE plans SET steps = $2 WHERE id = (SELECT plan_id FROM orders WHERE id = $1)', [
      job.orderId,
      JSON.stringify(plan),
    ]);
  }
}

describe('what a job makes', () => {
  test('is a blob of the order’s client, readable by later attempts', async () => {
    const job = await runningJob();
    const id = newId<BlobId>();
    const bytes = randomBytes(300_000);
    const made = await put(job, id, bytes, { 'connecta-sha256': sha256(bytes), 'connecta-file-name': 'a%20b.png' });
    expect([made.status, made.body]).toEqual([
      201,
      { blobId: id, mediaType: 'image/png', size: bytes.length, sha256: sha256(bytes) },
    ]);
    expect(await harness.store.prisma.blob.findUnique({ where: { id } })).toMatchObject({
      ownerClientId: harness.clientId,
      jobId: job.id,
      createdBy: 'service:painter',
      fileName: 'a b.png',
    });
    await harness.store.pool.query('UPDATE jobs SET attempt = 2 WHERE id = $1', [job.id]);
    const later = await get(job, id, { 'connecta-lease': lease(job, { attempt: 2 }) });
    expect(later.status).toBe(200);
    expect(bytes.equals(later.body as Buffer)).toBe(true);
    const part = await get(job, id, { 'connecta-lease': lease(job, { attempt: 2 }), range: 'bytes=1-3' });
    expect(part.status).toBe(206);
    expect(bytes.subarray(1, 4).equals(part.body as Buffer)).toBe(true);
  });

  test('is the same blob when it is sent again, and no other', async () => {
    const job = await runningJob();
    const id = newId<BlobId>();
    expect((await put(job, id, 'one')).status).toBe(201);
    const again = await put(job, id, 'one');
    expect([again.status, again.body.sha256]).toEqual([200, sha256(Buffer.from('one'))]);
    const other = await put(job, id, 'two');
    expect([other.status, other.body.code]).toEqual([409, 'conflict']);
    const foreign = await put(await runningJob(), id, 'one');
    expect([foreign.status, foreign.body.code]).toEqual([409, 'conflict']);
  });

  test('is taken up where an attempt died before or after its bytes were stored', async () => {
    const job = await runningJob();
    for (const withBytes of [false, true]) {
      const id = newId<BlobId>();
      await harness.store.prisma.blob.create({
        data: { id, ownerClientId: harness.clientId, jobId: job.id, state: 'uploading', mediaType: 'a/b', size: 0 },
      });
      if (withBytes) {
        await harness.blobs.put([Buffer.from('x')] as unknown as AsyncIterable<Buffer>, { id, mediaType: 'a/b' });
      }
      expect((await put(job, id, 'x')).status).toBe(201);
      expect((await get(job, id)).status).toBe(200);
    }
  });

  test('is refused when it is too large or not what was announced, and then not there', async () => {
    const job = await runningJob();
    const id = newId<BlobId>();
    expect((await put(job, id, Buffer.alloc(1_000_001))).status).toBe(413);
    expect((await put(job, id, 'x', { 'connecta-sha256': '0'.repeat(64) })).status).toBe(460);
    expect((await get(job, id)).status).toBe(404);
    expect((await put(job, id, 'x')).status).toBe(201);
  });
});

describe('a lease', () => {
  test.each([
    ['of nobody', () => 'x.y.z', 'lease_invalid'],
    ['that expired', (job: Job) => lease(job, { expiresInMs: -1 }), 'lease_invalid'],
    ['of another worker type', (job: Job) => lease(job, { workerType: 'packer' }), 'lease_invalid'],
    ['of another job', () => lease({ id: newId(), orderId: newId() }), 'lease_invalid'],
    ['of an older attempt', (job: Job) => lease(job, { attempt: 1 }), 'stale_attempt'],
  ])('%s opens nothing', async (_what, token, code) => {
    const job = await runningJob(2);
    const id = newId();
    for (const res of [
      await get(job, id, { 'connecta-lease': token(job) }),
      await put(job, id, 'x', { 'connecta-lease': token(job) }),
    ]) {
      expect([res.status, res.body.code]).toEqual([409, code]);
      if (code === 'stale_attempt') expect(res.body.winningAttempt).toBe(2);
    }
  });

  test('of a job that ended, or of a cancelled order, opens nothing', async () => {
    const ended = await harness.job({ workerType: 'painter', state: 'completed' });
    const cancelled = await harness.job({ workerType: 'painter', state: 'started', orderState: 'cancelled' });
    for (const job of [ended, cancelled]) {
      const res = await put(job, newId(), 'x');
      expect([res.status, res.body.code]).toEqual([409, 'already_ended']);
    }
  });

  test('shown by another account opens nothing', async () => {
    const job = await runningJob();
    const path = `/v1/jobs/${job.id}/blobs/${newId()}`;
    const res = await harness
      .as('packer')
      .get(path)
      .set({ 'connecta-lease': lease(job) });
    expect([res.status, res.body.code]).toEqual([409, 'lease_invalid']);
    expect((await harness.as('painter').get(path)).status).toBe(400);
  });
});

describe('a job may read', () => {
  test('what its input, context and params refer to, however deep', async () => {
    const job = await runningJob();
    const [a, b, c] = [await stored('a'), await stored('b'), await stored('c')];
    await give(job, { input: { list: [{ image: a }] }, context: b, params: { mark: c } });
    for (const ref of [a, b, c]) expect((await get(job, ref.blobId)).status).toBe(200);
  });

  test('what a JSON blob in its input refers to', async () => {
    const job = await runningJob();
    const image = await stored('image');
    const inner = await stored(JSON.stringify([image]), 'application/json');
    const outer = await stored(JSON.stringify({ pages: [{ inner }] }), 'application/json; charset=utf-8');
    await give(job, { input: outer });
    for (const ref of [outer, inner, image, image]) expect((await get(job, ref.blobId)).status).toBe(200);
    expect((await get(job, (await stored('unrelated')).blobId)).status).toBe(404);
  });

  test('what its child orders made', async () => {
    const [parent, child] = [await runningJob(), await runningJob()];
    await harness.store.pool.query('UPDATE orders SET parent_job_id = $2 WHERE id = $1', [child.orderId, parent.id]);
    const id = newId<BlobId>();
    await put(child, id, 'x');
    expect((await get(parent, id)).status).toBe(200);
    expect((await get(await runningJob(), id)).status).toBe(404);
  });

  test('nothing of another client, whatever its input says', async () => {
    const foreignClient = newId();
    await harness.store.prisma.client.create({ data: { id: foreignClient, name: foreignClient } });
    const foreign = await stored('secret', 'image/png', foreignClient);
    const json = await stored(JSON.stringify([foreign]), 'application/json');
    const job = await runningJob();
    await give(job, { input: [foreign, json] });
    expect((await get(job, json.blobId)).status).toBe(200);
    expect((await get(job, foreign.blobId)).status).toBe(404);
  });

  test('no JSON that is not what it says, without harm', async () => {
    const job = await runningJob();
    const bomb = await stored('['.repeat(10_000), 'application/json');
    await give(job, { input: bomb });
    expect((await get(job, bomb.blobId).responseType('blob')).status).toBe(200);
    expect((await get(job, newId())).status).toBe(404);
    expect((await get(job, (await stored('x')).blobId)).status).toBe(404);
  });
});

describe('a service account', () => {
  const blobsOf = (account: 'cu' | 'painter', query = ''): Test =>
    harness.as(account).post(`/v1/blobs${query}`).set({ 'content-type': 'text/plain' });

  test('stores bytes for a client that it may act for', async () => {
    const made = await blobsOf('cu').send('hello');
    expect(made.status).toBe(201);
    const { blobId } = made.body as BlobRef;
    expect(made.headers['location']).toBe(`/v1/blobs/${blobId}`);
    expect(await harness.store.prisma.blob.findUnique({ where: { id: blobId } })).toMatchObject({
      ownerClientId: harness.clientId,
      createdBy: 'service:cu',
    });
    expect((await harness.as('cu').get(`/v1/blobs/${blobId}`)).text).toBe('hello');
    expect((await harness.as('painter').get(`/v1/blobs/${blobId}`)).status).toBe(404);
    expect((await blobsOf('cu', '?client=client-x').send('hello')).status).toBe(201);
  });

  test('stores nothing for others', async () => {
    expect((await blobsOf('cu', '?client=client-y').send('x')).status).toBe(403);
    expect((await blobsOf('painter').send('x')).status).toBe(400);
    expect((await blobsOf('painter', '?client=client-x').send('x')).status).toBe(403);
  });

  test('reads what was made in the orders that it placed, child orders included', async () => {
    const [own, child, foreign] = [await runningJob(), await runningJob(), await runningJob()];
    const { pool } = harness.store;
    await pool.query(`UPDATE orders SET created_by = 'service:cu' WHERE id = $1`, [own.orderId]);
    await pool.query('UPDATE orders SET parent_job_id = $2 WHERE id = $1', [child.orderId, own.id]);
    const ids = [newId<BlobId>(), newId<BlobId>(), newId<BlobId>()] as const;
    await put(own, ids[0], 'own');
    await put(child, ids[1], 'child');
    await put(foreign, ids[2], 'foreign');
    const answers = await Promise.all(ids.map((id) => harness.as('cu').get(`/v1/blobs/${id}`)));
    expect(answers.map((res) => res.status)).toEqual([200, 200, 404]);
  });
});
