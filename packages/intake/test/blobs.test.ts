import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { isBlobRef, newId, type BlobId, type ClientId, type JsonValue } from '@connecta/contracts';
import { openBlobs, type Blobs } from '@connecta/blobs';
import { testServices, type TestServices } from '@connecta/embedded';
import {
  deleteOrphanBytes,
  deleteUnsettledBlobs,
  findBlob,
  findOwnedBlobs,
  forgetFinishedUploads,
  insertBlob,
  openStore,
  type Store,
} from '@connecta/store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { receiveBlob, storeValue, type BlobIntake } from '../src/index.ts';

let services: TestServices;
let store: Store;
let blobs: Blobs;
let intake: BlobIntake;
const clientId = newId<ClientId>();
beforeAll(async () => {
  services = await testServices();
  store = openStore({ databaseUrl: await services.databaseUrl('intake-blobs'), applicationName: 'test' });
  await store.prisma.client.create({ data: { id: clientId, name: 'c' } });
  blobs = await openBlobs({ connectionString: services.blobConnectionString, container: `intake-${newId()}` });
  intake = { store, blobs, maxBlobBytes: 1_000_000 };
});
afterAll(async () => {
  await store.close();
  await services.close();
});

const incoming = { clientId, createdBy: 'test', mediaType: 'text/plain' };

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

describe('a value', () => {
  test('travels inline up to 8 KiB and as a JSON blob beyond', async () => {
    const value = (value: JsonValue): Promise<JsonValue> => storeValue(intake, { value, clientId, createdBy: 'test' });
    const inline = 'x'.repeat(8190);
    expect(await value(inline)).toBe(inline);
    const large: JsonValue = [1, { text: 'ü'.repeat(5000) }];
    const ref = await value(large);
    if (!isBlobRef(ref)) throw new Error('no reference');
    expect(ref.mediaType).toBe('application/json');
    const back = await buffer(await blobs.get(ref.blobId, { expect: ref }));
    expect(JSON.parse(back.toString())).toEqual(large);
  });
});

describe('a blob', () => {
  test('of a client that is gone is refused', async () => {
    const gone = receiveBlob(intake, once('x'), { ...incoming, clientId: newId() });
    await expect(gone).rejects.toMatchObject({ code: 'not_found' });
  });

  test('is found by its owner alone, when it is readable and has not expired', async () => {
    const { id } = await receiveBlob(intake, once('x'), incoming);
    const expired = await receiveBlob(intake, once('y'), incoming);
    await store.pool.query('UPDATE blobs SET expires_at = now() WHERE id = $1', [expired.id]);
    const uploading = newId<BlobId>();
    await insertBlob(store, { ...incoming, id: uploading, ownerClientId: clientId });
    const ids = [id, expired.id, uploading, newId<BlobId>()];
    expect([...(await findOwnedBlobs(store, { clientId, ids })).keys()]).toEqual([id]);
    expect(await findOwnedBlobs(store, { clientId: newId(), ids })).toEqual(new Map());
  });
});

describe('the sweep', () => {
  test('ends what was left half-way, with its bytes, and leaves what is under way', async () => {
    const [dead, stored, deleting, alive] = [newId<BlobId>(), newId<BlobId>(), newId<BlobId>(), newId<BlobId>()];
    for (const id of [dead, stored, deleting, alive]) {
      await insertBlob(store, { ...incoming, id, ownerClientId: clientId });
      if (id === stored || id === deleting) await blobs.put(once('x'), { id, mediaType: 'a/b' });
      if (id === dead) await blobs.stage(once('x'), { id, maxBytes: 1, onStaged: async () => undefined });
    }
    await store.pool.query(`UPDATE blobs SET created_at = now() - interval '2 days' WHERE id = ANY($1::uuid[])`, [
      [dead, stored, deleting],
    ]);
    await store.pool.query(`UPDATE blobs SET state = 'deleting' WHERE id = $1`, [deleting]);
    expect(await deleteUnsettledBlobs(store, blobs, { limit: 100, olderThanMs: 86_400_000 })).toBe(3);
    for (const id of [dead, stored, deleting]) {
      expect(await findBlob(store, id)).toBeNull();
      expect(await blobs.exists(id)).toBe(false);
    }
    expect(await findBlob(store, alive)).toMatchObject({ state: 'uploading' });
  });

  test('deletes bytes that no row knows, page by page', async () => {
    const known = await receiveBlob(intake, once('known'), incoming);
    const orphans = [newId(), newId(), newId()];
    for (const id of orphans) await blobs.put(once('orphan'), { id, mediaType: 'a/b' });
    const sweep = async (olderThanMs: number): Promise<number> => {
      let deleted = 0;
      for (let from: string | undefined; ;) {
        const page = await deleteOrphanBytes(store, blobs, { from, limit: 2, olderThanMs });
        deleted += page.deleted;
        from = page.next;
        if (from === undefined) return deleted;
      }
    };
    expect(await sweep(3_600_000)).toBe(0);
    expect(await sweep(-5000)).toBe(3);
    expect(await blobs.exists(known.id)).toBe(true);
  });

  test('forgets what is left of uploads that became blobs', async () => {
    const { id } = await receiveBlob(intake, once(randomBytes(4).toString('hex')), incoming);
    await store.pool.query(
      `INSERT INTO uploads (blob_id, "offset", length, blocks, expires_at) VALUES ($1, 8, 8, '{}', now())`,
      [id],
    );
    expect(await forgetFinishedUploads(store, 10)).toBe(1);
    expect(await findBlob(store, id)).toMatchObject({ state: 'ready' });
  });
});
