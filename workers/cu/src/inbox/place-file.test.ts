import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { nameWith, publishFile, reserveRejected } from './place-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'place-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('something is put between the stem and the ending of a name', () => {
  expect(nameWith('scan.tar.gz', '.1')).toBe('scan.tar.1.gz');
  expect(nameWith('README', '.1')).toBe('README.1');
});

test('a file that is published never replaces another', async () => {
  await writeFile(join(folder, 'a'), 'old');
  await writeFile(join(folder, '.part'), 'new');
  expect(await publishFile(join(folder, '.part'), 'a', 'a.other')).toBe('a.other');
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('old');
  expect((await readdir(folder)).sort()).toEqual(['a', 'a.other']);
});

test('a reserved name is found again by the same reason and given to no other', async () => {
  expect(await reserveRejected(folder, ['a', 'a.1'], 'reason of claim 1')).toBe('a');
  expect(await reserveRejected(folder, ['a', 'a.1'], 'reason of claim 1')).toBe('a');
  expect(await reserveRejected(folder, ['a', 'a.2'], 'reason of claim 2')).toBe('a.2');
  await writeFile(join(folder, 'b'), 'a file that is there');
  expect(await reserveRejected(folder, ['b', 'b.3'], 'reason of claim 3')).toBe('b.3');
});
