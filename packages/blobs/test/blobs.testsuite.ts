import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newId } from '@connecta/contracts';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Blobs } from '../src/index.ts';

const MIB = 1024 * 1024;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const stored = (bytes: Uint8Array) => ({ size: bytes.length, sha256: sha256(bytes) });

async function* chunked(bytes: Buffer, chunk = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
}

async function* breaking(bytes: Buffer): AsyncGenerator<Buffer> {
  yield* chunked(bytes);
  throw new Error('the source broke');
}

/** What every implementation of the port does. */
export function testBlobs(open: () => Promise<Blobs>): void {
  let blobs: Blobs;
  beforeAll(async () => {
    blobs = await open();
  });

  describe('storing', () => {
    test.each([0, 1, 256 * 1024, 256 * 1024 + 1, 4 * MIB, 4 * MIB + 1, 13 * MIB + 5])(
      '%i bytes come back as they were',
      async (size) => {
        const bytes = randomBytes(size);
        const id = newId();
        expect(await blobs.put(chunked(bytes), { id, mediaType: 'image/png' })).toEqual(stored(bytes));
        const back = await buffer(await blobs.get(id, { expect: stored(bytes) }));
        expect(back.equals(bytes)).toBe(true);
        expect(await buffer(await blobs.get(id, { expect: {} }))).toHaveLength(size);
      },
    );

    test('a repeat of the same bytes counts as stored, other bytes are refused', async () => {
      const options = { id: newId(), mediaType: 'text/plain' };
      const first = await blobs.put(Readable.from([Buffer.from('one')]), options);
      expect(await blobs.put(Readable.from([Buffer.from('one')]), options)).toEqual(first);
      await expect(blobs.put(Readable.from([Buffer.from('two')]), options)).rejects.toThrow(
        expect.objectContaining({ name: 'BlobExistsError', blobId: options.id }),
      );
      expect(await buffer(await blobs.get(options.id, { expect: first }))).toEqual(Buffer.from('one'));
    });

    test('bytes other than the announced ones are refused and not kept', async () => {
      const bytes = randomBytes(9 * MIB);
      const id = newId();
      const put = (expected: { size?: number; sha256?: string }) =>
        blobs.put(chunked(bytes), { id, mediaType: 'a/b', expect: expected });
      await expect(put({ size: bytes.length + 1 })).rejects.toMatchObject({ name: 'BytesMismatchError', what: 'size' });
      await expect(put({ sha256: '0'.repeat(64) })).rejects.toMatchObject({ what: 'sha256', actual: sha256(bytes) });
      expect(await blobs.exists(id)).toBe(false);
    });

    test('a stream that is too large or breaks leaves nothing behind', async () => {
      const id = newId();
      const bytes = randomBytes(9 * MIB);
      const large = blobs.put(chunked(bytes), { id, mediaType: 'a/b', maxBytes: bytes.length - 1 });
      await expect(large).rejects.toMatchObject({ name: 'BlobTooLargeError', maxBytes: bytes.length - 1 });
      await expect(blobs.put(breaking(bytes), { id, mediaType: 'a/b' })).rejects.toThrow('the source broke');
      expect(await blobs.exists(id)).toBe(false);
    });
  });

  describe('staging', () => {
    test('what was staged from streams that broke becomes one blob', async () => {
      const id = newId();
      const bytes = randomBytes(11 * MIB);
      const blockIds: string[] = [];
      let size = 0;
      const onStaged = async (block: { blockId: string; bytes: Buffer }): Promise<void> => {
        expect(block.bytes.equals(bytes.subarray(size, size + block.bytes.length))).toBe(true);
        size += block.bytes.length;
        blockIds.push(block.blockId);
      };
      const part = bytes.subarray(0, 5 * MIB + 7);
      await expect(blobs.stage(breaking(part), { id, maxBytes: 20 * MIB, onStaged })).rejects.toThrow('broke');
      expect(size).toBe(part.length);
      await blobs.stage(chunked(bytes.subarray(size)), { id, maxBytes: 20 * MIB, onStaged });
      const commit = { id, mediaType: 'a/b', blockIds, ...stored(bytes) };
      await blobs.commitBlocks(commit);
      await blobs.commitBlocks(commit);
      expect((await buffer(await blobs.get(id, { expect: stored(bytes) }))).equals(bytes)).toBe(true);
    });

    test('blocks that were discarded cannot be committed', async () => {
      const id = newId();
      const blockIds: string[] = [];
      await blobs.stage(chunked(randomBytes(10)), {
        id,
        maxBytes: 10,
        onStaged: async ({ blockId }) => void blockIds.push(blockId),
      });
      await blobs.discardBlocks(id);
      const commit = blobs.commitBlocks({ id, mediaType: 'a/b', blockIds, size: 10, sha256: '0'.repeat(64) });
      await expect(commit).rejects.toMatchObject({ name: 'StagedBlocksLostError' });
      expect(await blobs.exists(id)).toBe(false);
    });

    test('discarding blocks leaves a blob alone', async () => {
      const id = newId();
      await blobs.put(Readable.from([Buffer.from('kept')]), { id, mediaType: 'a/b' });
      await blobs.discardBlocks(id);
      expect(await blobs.exists(id)).toBe(true);
    });
  });

  describe('reading', () => {
    test('a range brings these bytes', async () => {
      const id = newId();
      const bytes = randomBytes(5 * MIB);
      const known = await blobs.put(chunked(bytes), { id, mediaType: 'a/b' });
      const range = { start: 4 * MIB - 3, length: 10 };
      const part = await buffer(await blobs.get(id, { range, expect: known }));
      expect(part.equals(bytes.subarray(range.start, range.start + 10))).toBe(true);
    });

    test('bytes that are not what they must be never arrive whole', async () => {
      const id = newId();
      const bytes = randomBytes(MIB);
      await blobs.put(chunked(bytes), { id, mediaType: 'a/b' });
      const read = async (expected: { size: number; sha256: string }): Promise<number> => {
        let got = 0;
        const stream = await blobs.get(id, { expect: expected });
        stream.on('data', (chunk: Buffer) => (got += chunk.length));
        await expect(new Promise((_, reject) => stream.once('error', reject))).rejects.toMatchObject({
          name: 'BytesMismatchError',
        });
        return got;
      };
      expect(await read({ size: bytes.length, sha256: '0'.repeat(64) })).toBeLessThan(bytes.length);
      expect(await read({ size: bytes.length + 1, sha256: sha256(bytes) })).toBeLessThan(bytes.length);
    });

    test('a blob that is not there has a name for it', async () => {
      await expect(blobs.get(newId(), { expect: {} })).rejects.toMatchObject({ name: 'BlobNotFoundError' });
      expect(await blobs.delete(newId())).toBe(false);
      expect(await blobs.exists(newId())).toBe(false);
    });

    test('a reader may go away', async () => {
      const id = newId();
      await blobs.put(chunked(randomBytes(9 * MIB)), { id, mediaType: 'a/b' });
      const stream = await blobs.get(id, { expect: {} });
      for await (const chunk of stream) {
        expect(chunk).toBeInstanceOf(Buffer);
        break;
      }
      expect(stream.destroyed).toBe(true);
      expect(await blobs.delete(id)).toBe(true);
      expect(await blobs.exists(id)).toBe(false);
    });
  });

  test('every name in storage is listed once, page by page', async () => {
    const ids = [newId(), newId(), newId()];
    for (const id of ids) await blobs.put(Readable.from([Buffer.from(id)]), { id, mediaType: 'a/b' });
    const seen: string[] = [];
    for (let from: string | undefined; ;) {
      const page = await blobs.list({ from, limit: 2 });
      seen.push(...page.items.map(({ id }) => id));
      from = page.next;
      if (from === undefined) break;
    }
    expect(seen.filter((id) => (ids as string[]).includes(id))).toEqual(ids);
  });
}
