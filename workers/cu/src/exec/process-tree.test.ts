import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { JOB_MARK, endProcessTree } from './process-tree.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux('what a killed runner left running is ended by the mark of its folder alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tree-'));
  const env = { PATH: '/usr/bin:/bin' };
  const [marked, other] = [folder, `${folder}-other`].map((value) =>
    spawn('sleep', ['60'], { env: { ...env, [JOB_MARK]: value }, detached: true, stdio: 'ignore' }),
  );
  await Promise.all([once(marked!, 'spawn'), once(other!, 'spawn')]);
  const over = once(marked!, 'exit');
  expect(await endProcessTree({ folder, graceMs: 2_000 })).toBe(true);
  expect((await over)[1]).toBe('SIGTERM');
  expect(other!.exitCode).toBeNull();
  expect(other!.signalCode).toBeNull();
  const end = once(other!, 'exit');
  other!.kill();
  await end;
  await rm(folder, { recursive: true });
});

test('nothing to end is quickly told', async () => {
  expect(await endProcessTree({ folder: '/no/such/folder', graceMs: 10_000 })).toBe(true);
});
