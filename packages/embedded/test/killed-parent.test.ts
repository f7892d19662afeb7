import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from '@jest/globals';
import { startEmbedded } from '../src/index.ts';
import { identify } from '../src/process-identity.ts';
import { ownDataDir } from './own-data-dir.ts';

const dir = ownDataDir();
afterAll(() => dir.remove());

interface Started {
  readonly env: Record<string, string>;
  readonly pids: readonly number[];
}

test('the next start ends what a killed parent left behind and takes its place', async () => {
  const parent = spawn(process.execPath, [join(import.meta.dirname, 'parent.mjs'), dir.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const before = JSON.parse(line) as Started;
  const exited = once(parent, 'exit');
  parent.kill('SIGKILL');
  await exited;
  // Or else there would be nothing left over to end.
  expect(before.pids.map((pid) => identify(pid)?.pid)).toEqual(before.pids);

  const embedded = await startEmbedded({ dataDir: dir.path, env: { PATH: process.env['PATH'] } });
  try {
    expect(before.pids.filter((pid) => identify(pid))).toEqual([]);
    expect(embedded.env).toEqual(before.env);
  } finally {
    await embedded.stop();
  }
}, 60_000);
