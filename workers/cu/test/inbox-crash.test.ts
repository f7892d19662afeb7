import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { processMark } from '@connecta/worker-kit';
import { InboxSetting, kill } from './inbox-setting.ts';
import { until } from './legacy-setting.ts';

let it: InboxSetting;
beforeEach(async () => {
  it = await InboxSetting.make();
});
afterEach(() => it.remove());

describe('two processes on one inbox', () => {
  test('share the files and take none twice', async () => {
    it.start();
    it.start({}, processMark(process.ppid));
    const names = Array.from({ length: 30 }, (_, index) => `file-${index}.txt`);
    await Promise.all(names.map((name) => it.drop(name, name)));
    await until(async () => ((await it.list('out')).length === 30 ? true : undefined), 20_000);
    await it.cleared();
    expect(it.beApi.orders).toHaveLength(30);
    expect(await it.list('out')).toEqual([...names].sort());
  });
});

describe('a crash', () => {
  test.each([
    ['before the file is stored', 'POST /v1/blobs', 'cut-before'],
    ['before the order arrives', 'POST /v1/orders', 'cut-before'],
    ['after the order is committed and before it is noted', 'POST /v1/orders', 'cut-after'],
    ['while the order runs', 'GET /v1/orders/{id}', 'cut-before'],
    ['while the result is read', 'GET /v1/blobs/{id}', 'cut-before'],
  ] as const)('%s leads to one order and one result after the next start', async (_when, call, fault) => {
    it.beApi.end = () => ({ state: 'completed', result: it.beApi.makeBlob('done', 'text/plain') });
    const first = await it.startProcess();
    const reached = Promise.withResolvers<void>();
    it.beApi.fault = (what) => {
      if (what !== call) return undefined;
      reached.resolve();
      return fault;
    };
    await it.drop('a.txt', 'survivor');
    await reached.promise;
    await kill(first);
    expect(await it.list('in')).toEqual([]);
    it.beApi.fault = () => undefined;
    await it.startProcess();
    expect(await it.arrives('out', 'a.txt')).toBe('done');
    await it.cleared();
    expect([it.beApi.orders.length, await it.list('out'), await it.list('rejected')]).toEqual([1, ['a.txt'], []]);
  });

  test('between the journal and the move leaves the file in the inbox, to be taken by the next start', async () => {
    const dead = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']);
    await once(dead, 'spawn');
    const mark = processMark(dead.pid);
    await kill(dead);
    await mkdir(it.path('in/.connecta', mark, 'claim-1'), { recursive: true });
    const journal = { format: 1, claim: 'claim-1', file: 'a.txt' };
    await writeFile(it.path('in/.connecta', mark, 'claim-1/journal.json'), JSON.stringify(journal));
    await mkdir(it.path('in/.connecta', mark, 'claim-2'));
    await it.drop('a.txt', 'still here');
    it.start();
    expect(await it.arrives('out', 'a.txt')).toBe('still here');
    await it.cleared();
    expect(it.beApi.orders).toHaveLength(1);
  });

  test('with an order whose fate nobody can know any more ends in rejected, not in a second order', async () => {
    const mark = processMark();
    const claim = it.path('in/.connecta', mark, 'old');
    await mkdir(claim, { recursive: true });
    const blob = it.beApi.makeBlob('x', 'text/plain');
    const sentAt = new Date(Date.now() - 24 * 3_600_000).toISOString();
    await writeFile(
      join(claim, 'journal.json'),
      JSON.stringify({ format: 1, claim: 'old', file: 'a.txt', blob, sentAt }),
    );
    await writeFile(join(claim, 'data'), 'x');
    it.start();
    expect(await it.arrives('rejected', 'a.txt.reason.txt')).toContain('not known whether it arrived');
    await it.cleared();
    expect([it.beApi.orders.length, await it.read('rejected', 'a.txt')]).toEqual([0, 'x']);
  });
});
