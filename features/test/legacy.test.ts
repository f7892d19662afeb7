import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { ApiClient } from '../src/api-client.ts';
import { TestSystem, until } from '../src/system.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const SCRIPTS = { hanging: 'sleep 300', silent: 'exit 0', copy: 'cp "$1" "$2"' };

describe('legacy programs and folders in a whole system', () => {
  let root: string;
  let system: TestSystem;
  const children: ChildProcess[] = [];
  const path = (...names: string[]): string => join(root, ...names);

  function start(program: string, args: string[], env: Record<string, string>): void {
    const child = spawn(process.execPath, [join(REPOSITORY, program), ...args], { env, stdio: 'ignore' });
    children.push(child);
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'connecta-legacy-'));
    for (const folder of ['bin', 'files', 'slow/in', 'slow/out']) await mkdir(path(folder), { recursive: true });
    for (const [name, script] of Object.entries(SCRIPTS)) {
      await writeFile(path('bin', name), `#!/bin/sh\n${script}\n`);
      await chmod(path('bin', name), 0o755);
    }
    const inbox = {
      name: 'lab',
      path: path('inbox'),
      outbox: path('outbox'),
      rejected: path('rejected'),
      create: true,
    };
    const folders = { ...inbox, client: 'default', tasks: ['cu/upper-filter'], stableMs: 200, pollMs: 100 };
    const cu = {
      CU_COMMANDS: ['gzip', join(REPOSITORY, 'examples/legacy/upper-filter'), path('bin')].join(delimiter),
      CU_SHARES: JSON.stringify({
        'slow-folder': { path: path('slow'), uses: ['exchange'] },
        files: { path: path('files'), uses: ['read', 'write'] },
      }),
      CU_INBOXES: JSON.stringify([folders]),
    };
    system = await TestSystem.start({ extra: cu });
    const key = `sk_${system.running.embedded.dataDir.secret('service-account-cu', 32)}`;
    start('workers/cu/src/inbox.ts', [], { ...cu, BE_API_URL: system.running.beUrl, SERVICE_ACCOUNT_KEY: key });
    start('examples/legacy/slow-folder.mjs', [path('slow')], { SLOW_FOLDER_FAIL: '0', SLOW_FOLDER_DELAY_MS: '200' });
    for (const [name, settings] of Object.entries({
      hanging: { command: 'hanging', timeLimitMs: 300 },
      silent: { command: 'silent' },
      'to-share': { command: 'copy', resultFile: { share: 'files', name: 'made-{id}.jpg' } },
    })) {
      const body = { name, function: 'cu.exec', settings };
      const made = await system.api.send('POST', '/v1/workers/cu/profiles', { body });
      if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    }
  }, 120_000);
  afterAll(async () => {
    for (const child of children) {
      const over = once(child, 'exit');
      if (child.exitCode === null && child.kill()) await over;
    }
    await system.stop();
    await rm(root, { recursive: true, force: true });
  });

  const bytesOf = async (ref: unknown): Promise<Buffer> => {
    const response = await fetch(`${system.api.url}/v1/blobs/${(ref as { blobId: string }).blobId}`, {
      headers: { authorization: `Bearer ${system.api.key}` },
    });
    return Buffer.from(await response.arrayBuffer());
  };
  const form = (bytes: Buffer | string, type: string, tasks: string[]): FormData => {
    const data = new FormData();
    data.set('tasks', JSON.stringify(tasks));
    data.set('file', new Blob([new Uint8Array(Buffer.from(bytes))], { type }), 'input');
    return data;
  };
  const arrives = async (...names: string[]): Promise<string> => {
    const end = Date.now() + 60_000;
    while (Date.now() < end) {
      if (existsSync(path(...names))) return readFile(path(...names), 'utf8');
      await sleep(100);
    }
    throw new Error(`${names.join('/')} did not come`);
  };

  test('the setups over both example programs exist at first start and work', async () => {
    const tasks = ['cu/upper-filter', 'cu/slow-folder'];
    const order = await system.api.ended(
      await system.api.place(form('three little words\n', 'text/plain', tasks)),
      60_000,
    );
    expect(order.state).toBe('completed');
    expect((await bytesOf(order.result)).toString()).toBe('lines 1\nwords 3\nbytes 19\n');
    expect((await bytesOf(order.jobs['upper-filter']?.result)).toString()).toBe('THREE LITTLE WORDS\n');
  });

  test('a program that hangs or writes nothing ends in a clear error of its job', async () => {
    for (const [task, code] of [
      ['hanging', 'timed_out'],
      ['silent', 'no_output'],
    ] as const) {
      const order = await system.api.ended(await system.api.place({ tasks: [`cu/${task}`], input: 1 }), 90_000);
      expect(order).toMatchObject({ state: 'failed', jobs: { [task]: { state: 'error', error: { code } } } });
    }
  });

  test('a file result on a share becomes a blob for a worker that has no shares', async () => {
    const photo = await sharp({ create: { width: 800, height: 600, channels: 3, background: '#456' } })
      .jpeg()
      .toBuffer();
    const tasks = ['cu/to-share', 'generic/bright'];
    const order = await system.api.ended(await system.api.place(form(photo, 'image/jpeg', tasks)), 60_000);
    expect(order.state).toBe('completed');
    expect(order.jobs['to-share']?.result).toMatchObject({ file: { share: 'files' } });
    expect(await sharp(await bytesOf(order.result)).metadata()).toMatchObject({ width: 800, height: 600 });
  });

  test('a client reads no file of a share: neither by its steps, nor by a callback, nor by bytes of its own', async () => {
    // Given a file on a share, which an operator may have fetched, also by a re-run
    await writeFile(path('files/secret.txt'), 'secret');
    const input = { file: { share: 'files', path: 'secret.txt' } };
    const id = await system.api.place({ tasks: ['cu/fetch'], input });
    expect((await bytesOf((await system.api.ended(id)).result)).toString()).toBe('secret');
    const again = await system.api.send<{ id: string }>('POST', `/v1/orders/${id}/rerun`, { body: { from: 'fetch' } });
    expect(await system.api.ended(again.body.id)).toMatchObject({ state: 'completed' });
    // When a client forges it
    const { body: made } = await system.api.send<{ key: string }>('POST', '/v1/api-keys', {
      body: { name: 'theirs', role: 'client', client: 'default' },
    });
    const client = new ApiClient(system.api.url, made.key);
    const steps = {
      get: { uses: 'cu/fetch', with: { file: 'input' } },
      bright: { uses: 'generic/bright', with: { one: { file: 'input' } } },
    };
    const forged = await system.api.ended(
      await client.place({ steps, output: 'get', input: { share: 'files', path: 'secret.txt' } }),
    );
    const data = form(JSON.stringify(input), 'application/json', ['cu/fetch']);
    const bytes = await system.api.ended(await client.place(data));
    const asking = { ask: { wait: { for: 'callback' } }, get: { uses: 'cu/fetch', needs: ['ask'] } };
    const waits = await client.place({ steps: asking, output: 'get', input: 1 });
    const callback = await until(
      async () => ((await client.order(waits)).jobs['ask'] as { callback?: string } | undefined)?.callback,
    );
    const told = await client.send('POST', callback, { body: input });
    // Then nothing of it is read, and the step or the answer says why
    const error = { code: 'file_not_allowed' };
    expect(forged).toMatchObject({ state: 'failed', jobs: { get: { error }, bright: { error } } });
    expect(await bytesOf(bytes.result).then(String)).toBe(JSON.stringify(input));
    expect([told.status, told.body['code']]).toEqual([422, 'invalid_input']);
  });

  test('a setup with a program that is not allowed is refused with its place', async () => {
    const settings = { command: '/bin/sh', args: ['-c', 'id'] };
    const body = { name: 'evil', function: 'cu.exec', settings };
    const { status, body: problem } = await system.api.send('POST', '/v1/workers/cu/profiles', { body });
    expect([status, problem['code']]).toEqual([422, 'invalid_settings']);
    expect(JSON.stringify(problem['errors'])).toContain('command');
  });

  test('a file dropped into the inbox comes back in the outbox, one that is none in rejected', async () => {
    await writeFile(path('inbox/.note.part'), 'from the inbox');
    await rename(path('inbox/.note.part'), path('inbox/note.txt'));
    expect(await arrives('outbox/note.txt')).toBe('FROM THE INBOX');
    await symlink('/etc/passwd', path('inbox/passwd'));
    expect(await arrives('rejected/passwd.reason.txt')).toContain('not a plain file');
  });
});
