import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readCommandList } from './command-list.ts';

let root: string;
beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'commands-')));
  await mkdir(join(root, 'bin'));
  for (const name of ['bin/good', 'bin/.hidden', 'outside', 'bash']) await writeFile(join(root, name), '#!/bin/sh\n');
  for (const name of ['bin/good', 'bin/.hidden', 'outside', 'bash']) await chmod(join(root, name), 0o755);
  await writeFile(join(root, 'bin/data.txt'), 'x');
  await symlink(join(root, 'outside'), join(root, 'bin/escape'));
  await symlink(join(root, 'bin/good'), join(root, 'bin/alias'));
});
afterAll(() => rm(root, { recursive: true }));

test('a folder allows the programs in it, without hidden ones, data and links that lead out', () => {
  const { commands, faults } = readCommandList(join(root, 'bin'), '');
  expect([...commands].sort()).toEqual([
    ['alias', join(root, 'bin/alias')],
    ['good', join(root, 'bin/good')],
  ]);
  expect(faults).toEqual([]);
});

test('a program is allowed by path or by its name on the path', () => {
  const list = [join(root, 'outside'), 'good'].join(delimiter);
  const { commands } = readCommandList(list, ['relative', join(root, 'bin')].join(delimiter));
  expect([...commands.keys()]).toEqual(['outside', 'good']);
});

test('interpreters, missing programs and data are told as faults', () => {
  const list = [join(root, 'bash'), join(root, 'bin/data.txt'), join(root, 'nothing'), 'nothing'].join(delimiter);
  const { commands, faults } = readCommandList(list, root);
  expect(commands.size).toBe(0);
  expect(faults).toHaveLength(4);
});

test.each(['sh', 'python3.12', 'node', 'env', 'gawk'])('%s counts as an interpreter', async (name) => {
  await writeFile(join(root, name), '');
  await chmod(join(root, name), 0o755);
  expect(readCommandList(join(root, name), '').faults[0]).toContain('runs anything');
});
