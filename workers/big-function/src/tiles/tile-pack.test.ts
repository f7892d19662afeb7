import { truncate } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { PackWriter, indexPack, readTile } from './tile-pack.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pack-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function writePack(): Promise<string> {
  const path = join(folder, 'level');
  const pack = await PackWriter.create(path);
  await pack.append([Buffer.from('one'), Buffer.from('three')]);
  await pack.append([Buffer.from('x')]);
  await pack.finish();
  return path;
}

test('a pack that was read back gives the tiles that were written', async () => {
  const index = await indexPack(await writePack(), 3);
  const tiles = await Promise.all([0, 1, 2].map(async (tile) => (await buffer(readTile(index!, tile))).toString()));
  expect(tiles).toEqual(['one', 'three', 'x']);
});

test('a pack that is cut or has another number of tiles is not used', async () => {
  const path = await writePack();
  expect(await indexPack(path, 2)).toBeUndefined();
  expect(await indexPack(path, 4)).toBeUndefined();
  await truncate(path, 9);
  expect(await indexPack(path, 3)).toBeUndefined();
});
