import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DataDirInUseError, lockDataDir } from './owner-lock.ts';
import { identify } from './process-identity.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'connecta-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a directory has one owner at a time', () => {
  const release = lockDataDir(folder);
  expect(() => lockDataDir(folder)).toThrow(DataDirInUseError);
  release();
  lockDataDir(folder)();
});

test('the lock of a dead owner is taken over', () => {
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ pid: 4_000_000, startedAt: 'long ago' }));
  lockDataDir(folder)();
});

test('a living process that only has the pid of a dead owner does not keep the lock', () => {
  const reused = { pid: process.pid, startedAt: 'before the reboot' };
  writeFileSync(join(folder, 'owner.json'), JSON.stringify(reused));
  lockDataDir(folder)();
});

test('half a lock file is no lock', () => {
  writeFileSync(join(folder, 'owner.json'), '{"pid":');
  lockDataDir(folder)();
});

test('who releases twice does not take the lock from the next owner', () => {
  const release = lockDataDir(folder);
  release();
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ ...identify(process.ppid) }));
  release();
  expect(() => lockDataDir(folder)).toThrow(DataDirInUseError);
});
