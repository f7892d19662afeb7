import { appendFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonValue } from '@connecta/contracts';
import { InboxSetting } from './inbox-setting.ts';
import { until } from './legacy-setting.ts';

let it: InboxSetting;
beforeEach(async () => {
  it = await InboxSetting.make();
});
afterEach(() => it.remove());

describe('a file in the inbox', () => {
  test('becomes one order of the client, and its result a file in the outbox', async () => {
    it.beApi.end = () => ({ state: 'completed', result: it.beApi.makeBlob('packed', 'application/gzip') });
    it.start();
    await it.drop('note.txt', 'hello');
    expect(await it.arrives('out', 'note.gz')).toBe('packed');
    await it.cleared();
    expect(it.beApi.orders.map(({ body }) => body)).toEqual([
      { client: 'client-x', tasks: ['cu/gzip'], input: expect.objectContaining({ mediaType: 'text/plain', size: 5 }) },
    ]);
    expect([...it.beApi.blobs.values()][0]).toMatchObject({ fileName: 'note.txt' });
    expect([await it.list('in'), await it.list('rejected')]).toEqual([[], []]);
  });

  test('that still grows, or is named as unfinished, is not taken', async () => {
    it.start({ stableMs: 400 });
    await it.drop('grows.txt', 'a');
    await it.drop('later.txt.part', 'whole but not named so');
    await it.drop('.hidden', 'x');
    for (let i = 0; i < 6; i++) {
      await sleep(100);
      await appendFile(it.path('in/grows.txt'), 'a');
    }
    expect(it.beApi.orders).toEqual([]);
    expect(await it.arrives('out', 'grows.txt')).toBe('aaaaaaa');
    await rename(it.path('in/later.txt.part'), it.path('in/later.txt'));
    expect(await it.arrives('out', 'later.txt')).toBe('whole but not named so');
    expect(await it.list('in')).toEqual([]);
    expect(it.beApi.orders).toHaveLength(2);
  });

  test('that is dropped again is another order, and no result is overwritten', async () => {
    it.start();
    await it.drop('a.txt', 'same');
    await it.arrives('out', 'a.txt');
    await it.cleared();
    await it.drop('a.txt', 'same');
    const names = await until(async () => {
      const found = await it.list('out');
      return found.length === 2 ? found : undefined;
    });
    expect(names.find((name) => name !== 'a.txt')).toMatch(/^a\.[0-9a-f-]{36}\.txt$/);
    expect(it.beApi.orders).toHaveLength(2);
  });

  test('is kept among the processed ones where there is a folder for them', async () => {
    await mkdir(it.path('processed'));
    it.start({ processed: it.path('processed') });
    await it.drop('a.txt', 'kept');
    expect(await it.arrives('processed', 'a.txt')).toBe('kept');
  });

  test('has each part of a result as a file: blobs, files of a share, and JSON', async () => {
    await writeFile(it.path('share/far.dat'), 'from afar');
    const blob = (): JsonValue => it.beApi.makeBlob('pixels', 'image/png');
    const far = { file: { share: 'files', path: 'far.dat' } };
    const results: JsonValue[] = [[blob(), far], { mark: blob() }, { count: 3, image: blob() }];
    it.beApi.end = () => ({ state: 'completed', result: results.shift() ?? null });
    it.start({ maxInFlight: 1 });
    await it.drop('1.tif', 'x');
    expect(await it.arrives('out', '1-2.dat')).toBe('from afar');
    expect(await it.read('out', '1-1.png')).toBe('pixels');
    await it.drop('2.tif', 'x');
    expect(await it.arrives('out', '2-mark.png')).toBe('pixels');
    await it.drop('3.tif', 'x');
    expect(JSON.parse(await it.arrives('out', '3.json'))).toMatchObject({ count: 3 });
  });
});

describe('a file that leads to no result', () => {
  test('lies in rejected with the reason beside it', async () => {
    it.beApi.end = () => ({ state: 'failed', error: { code: 'no_output', message: 'The program wrote no output' } });
    it.start();
    await it.drop('bad.txt', 'keep me');
    expect(await it.arrives('rejected', 'bad.txt')).toBe('keep me');
    expect(await it.read('rejected', 'bad.txt.reason.txt')).toContain('no_output The program wrote no output');
    await it.cleared();
    await it.drop('bad.txt', 'me too');
    const names = await until(async () => {
      const found = await it.list('rejected');
      return found.length === 4 ? found : undefined;
    });
    expect(await it.read('rejected', 'bad.txt')).toBe('keep me');
    expect(names.filter((name) => name.endsWith('.reason.txt'))).toHaveLength(2);
    expect(await it.list('out')).toEqual([]);
  });

  test.each([
    ['of an order that be-api refuses', 'a.txt', { status: 422, code: 'unknown_workflow' }],
    ['that is too large', 'large.txt', undefined],
  ])('is one %s', async (_what, name, refusal) => {
    it.beApi.fault = (what) => (what === 'POST /v1/orders' ? refusal : undefined);
    it.start({ maxBytes: 10 });
    await it.drop(name, refusal ? 'short' : 'longer than ten bytes');
    const reason = await it.arrives('rejected', `${name}.reason.txt`);
    expect(reason).toContain(refusal ? 'unknown_workflow' : 'at most 10 are taken');
  });

  test('is a link, which is not followed', async () => {
    await writeFile(it.path('secret'), 'secret');
    it.start();
    await symlink(it.path('secret'), it.path('in/link'));
    expect(await it.arrives('rejected', 'link.reason.txt')).toContain('not a plain file');
    expect(it.beApi.blobs.size).toBe(0);
    expect(await it.read('secret')).toBe('secret');
  });
});

describe('be-api', () => {
  test('may be down: files wait, and become orders when it is back', async () => {
    await it.beApi.stop();
    it.start();
    await it.drop('a.txt', 'patient');
    await sleep(400);
    expect(await it.list('rejected')).toEqual([]);
    await it.beApi.start();
    expect(await it.arrives('out', 'a.txt')).toBe('patient');
    expect(it.beApi.orders).toHaveLength(1);
  });

  test.each([401, 403, 503])('may answer %i: the file waits until that is mended', async (status) => {
    let answers = 0;
    it.beApi.fault = () => (++answers <= 2 ? { status, code: 'forbidden' } : undefined);
    it.start();
    await it.drop('a.txt', 'patient');
    expect(await it.arrives('out', 'a.txt')).toBe('patient');
    expect([await it.list('rejected'), it.beApi.orders.length]).toEqual([[], 1]);
  });

  test('may lose any answer after doing the work: still one order and one result', async () => {
    const lost = new Set<string>();
    it.beApi.fault = (what) => {
      if (lost.has(what)) return undefined;
      lost.add(what);
      return 'cut-after';
    };
    it.beApi.end = () => ({ state: 'completed', result: it.beApi.makeBlob('done', 'text/plain') });
    it.start();
    await it.drop('a.txt', 'once');
    expect(await it.arrives('out', 'a.txt')).toBe('done');
    await it.cleared();
    expect(it.beApi.orders).toHaveLength(1);
    expect(await it.list('out')).toEqual(['a.txt']);
    expect(lost).toEqual(new Set(['POST /v1/blobs', 'POST /v1/orders', 'GET /v1/orders/{id}', 'GET /v1/blobs/{id}']));
  });
});
