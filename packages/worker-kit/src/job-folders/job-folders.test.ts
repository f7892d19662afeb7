import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { JobFolders } from './job-folders.ts';
import { isMarkOfDeadProcess, processMark } from './process-mark.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'job-folders-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function deadMark(): Promise<string> {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
  await once(child, 'spawn');
  const mark = processMark(child.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return mark;
}

test('a job folder is gone after the work, also when it failed', async () => {
  const folders = await JobFolders.open(root);
  const seen: string[] = [];
  const work = async (folder: string): Promise<never> => {
    seen.push(folder);
    await writeFile(join(folder, 'file'), 'x');
    throw new Error('failed');
  };
  await expect(folders.use(work)).rejects.toThrow('failed');
  expect(existsSync(seen[0] ?? '')).toBe(false);
  await folders.close();
  expect(await readdir(root)).toEqual([]);
});

test('what a killed process left is told and removed, what a living one holds is not', async () => {
  const [dead, living] = [await deadMark(), processMark(process.ppid)];
  await mkdir(join(root, dead, 'job-1'), { recursive: true });
  await mkdir(join(root, living, 'job-2'), { recursive: true });
  await mkdir(join(root, 'somebody-elses'));
  const told: string[] = [];
  const folders = await JobFolders.open(root, async (folder) => void told.push(basename(folder)));
  expect(told).toEqual(['job-1']);
  expect((await readdir(root)).sort()).toEqual([living, processMark(), 'somebody-elses'].sort());
  await folders.close();
});

test('a mark of another host or of another process with the same pid is told apart', async () => {
  expect(isMarkOfDeadProcess(processMark())).toBe(false);
  expect(isMarkOfDeadProcess('elsewhere-1-x')).toBe(false);
  const [host, pid] = processMark().split('-');
  if (process.platform === 'linux') expect(isMarkOfDeadProcess(`${host}-${pid}-ffffffff.1`)).toBe(true);
});
