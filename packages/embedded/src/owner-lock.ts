import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** Another live process owns the data directory. A caller may wait for it, or take another directory. */
export class DataDirInUseError extends Error {
  readonly code = 'data_dir_in_use';
  readonly dataDir: string;
  readonly ownerPid: number;
  constructor(dataDir: string, ownerPid: number) {
    super(`${dataDir} is in use by process ${ownerPid}: stop it first, or set CONNECTA_DATA_DIR to another folder`);
    this.dataDir = dataDir;
    this.ownerPid = ownerPid;
  }
}

/**
 * Makes this process the owner of a data directory and returns the release. The lock is a file made by `link`, which
 * is atomic; that of a dead owner is moved away first, so that of two takers only one finds it.
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, 'owner.json');
  const self = identify(process.pid);
  if (!self) throw new Error('this system does not tell when a process started');
  const mine = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(mine, JSON.stringify(self), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      if (linkIfAbsent(mine, file)) return () => releaseLock(file, self);
      const owner = readOwner(file);
      if (owner && isRunning(owner)) throw new DataDirInUseError(dataDir, owner.pid);
      moveStaleAway(file, `${mine}.stale`, owner);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new Error(`could not lock ${dataDir}: several processes try at once`);
}

function linkIfAbsent(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function moveStaleAway(file: string, aside: string, expected: ProcessIdentity | undefined): void {
  try {
    renameSync(file, aside);
  } catch {
    return; // another taker was faster
  }
  // Between the look and the move another taker may have put its own, live lock there: give it back.
  const moved = readOwner(aside);
  if (moved && isRunning(moved) && moved.startedAt !== expected?.startedAt) linkIfAbsent(aside, file);
  rmSync(aside, { force: true });
}

function releaseLock(file: string, self: ProcessIdentity): void {
  const owner = readOwner(file);
  if (owner?.pid === self.pid && owner.startedAt === self.startedAt) rmSync(file, { force: true });
}

function readOwner(file: string): ProcessIdentity | undefined {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined;
  } catch {
    return undefined;
  }
}
