import { existsSync, readFileSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BlobRef, JsonValue } from '@connecta/contracts';
import { readCommandList } from '../src/exec/command-list.ts';
import { LegacySetting, until } from './legacy-setting.ts';

const EXAMPLES = join(import.meta.dirname, '../../../examples/legacy');
let setting: LegacySetting;
beforeEach(async () => {
  const q = '"$ROOT"';
  setting = await LegacySetting.make({
    copy: 'cp "$1" "$2"',
    show: 'printf "%s|" "$@" > "$2"',
    environment: 'env > "$2"',
    where: 'pwd > "$2"; ls >> "$2"',
    fail: 'echo "what went wrong" >&2; echo "so far so good"; cp "$1" "$2"; exit 3',
    silent: 'exit 0',
    empty: ': > "$2"',
    crash: 'kill -KILL $$',
    hang: 'echo "thinking" >&2; sleep 300',
    deaf: `trap "" TERM; echo $$ > ${q}/pid; while :; do sleep 1; done`,
    family: `sleep 300 & echo $! > ${q}/child; setsid sleep 301 & echo $! > ${q}/far; (setsid sh -c "sleep 302 & echo \\$! > ${q}/farther") ; cp "$1" "$2"`,
    grow: 'while :; do cat "$1" "$1" "$1" "$1" >> "$2"; sleep 0.05; done',
    link: 'ln -s /etc/passwd "$2"',
    talk: 'i=0; while [ $i -lt 3000 ]; do echo "line $i of a long, long story" >&2; i=$((i+1)); done; exit 9',
  });
  // The scripts learn the root by a variable that the operator lets profiles set.
  setting.rules.envNames satisfies readonly string[];
  Object.assign(setting.rules, { envNames: ['TZ', 'ROOT'] });
});
afterEach(async () => {
  expect(await setting.leftFolders()).toEqual([]);
  await setting.remove();
});

async function run(command: string, more: { settings?: object; input?: JsonValue; params?: object } = {}) {
  const env = { ROOT: setting.root };
  const outcome = await setting.trial.run(setting.function('cu.exec'), {
    settings: { command, env, ...more.settings },
    input: more.input ?? 'hello',
    params: (more.params ?? {}) as never,
  });
  return outcome.value;
}
const text = async (value: JsonValue): Promise<string> => (await setting.trial.blobs.read(value as BlobRef)).toString();
const pid = (name: string): Promise<number> =>
  until(async () => {
    const found = existsSync(setting.path(name)) ? Number(readFileSync(setting.path(name), 'utf8')) : 0;
    return found || undefined;
  });
/** The state letter of a process; undefined when there is none. A zombie, which nobody reaps here, is none. */
function running(id: number): boolean {
  const stat = existsSync(`/proc/${id}/stat`) ? readFileSync(`/proc/${id}/stat`, 'utf8') : '';
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== '' && state !== 'Z';
}

describe('a program', () => {
  test('reads a blob and its output becomes a blob of the named type', async () => {
    const input = await setting.trial.blobs.create({ mediaType: 'text/plain' }, Buffer.from('some bytes'));
    const value = await run('copy', { input, settings: { outputMediaType: 'text/plain' } });
    expect(value).toMatchObject({ mediaType: 'text/plain', size: 10 });
    expect(await text(value)).toBe('some bytes');
  });

  test('gets JSON as a file, and a JSON blob byte for byte', async () => {
    expect(await text(await run('copy', { input: { a: [1, 'x'] } }))).toBe('{"a":[1,"x"]}');
    const odd = '{ "a":1.0 }';
    const input = await setting.trial.blobs.create({ mediaType: 'application/json' }, Buffer.from(odd));
    expect(await text(await run('copy', { input }))).toBe(odd);
  });

  test('gets its arguments as they are, with no shell in between', async () => {
    const args = ['{input}', '{output}', '$(id); `id` > x', '{params.a}', ''];
    const shown = (await text(await run('show', { settings: { args }, params: { a: '1 & quote' } }))).split('|');
    expect(shown.slice(2)).toEqual(['$(id); `id` > x', '1 & quote', '', '']);
  });

  test('runs in a folder of its own, with a clean environment and the declared variables', async () => {
    const lines = (await text(await run('environment', { settings: { env: { TZ: 'Asia/Tokyo' } } }))).split('\n');
    const names = lines
      .map((line) => line.split('=')[0])
      .filter((name) => !['', '_', 'PWD', 'OLDPWD', 'SHLVL'].includes(name!));
    expect(names.sort()).toEqual(['CONNECTA_JOB_FOLDER', 'HOME', 'LANG', 'PATH', 'TMPDIR', 'TZ']);
    expect(lines).toContain('TZ=Asia/Tokyo');
    const [folder, ...files] = (await text(await run('where', { settings: { inputName: 'in.txt' } })))
      .trim()
      .split('\n');
    expect(folder!.startsWith(setting.path('jobs'))).toBe(true);
    expect(files.sort()).toEqual(['in.txt', 'output']);
    expect(existsSync(folder!)).toBe(false);
  });

  test('of the real world, gzip, packs', async () => {
    const { commands, faults } = readCommandList('gzip', '/usr/bin:/bin');
    expect(faults).toEqual([]);
    Object.assign(setting.rules, { commands });
    const settings = { args: ['-n', '-k', '{input}'], outputName: 'input.gz' };
    const value = await run('gzip', { settings, input: 'pack me' });
    expect(gunzipSync(await setting.trial.blobs.read(value as BlobRef)).toString()).toBe('"pack me"');
  });

  test('of the examples, upper-filter, writes capitals', async () => {
    Object.assign(setting.rules, { commands: readCommandList(join(EXAMPLES, 'upper-filter'), '').commands });
    expect(await text(await run('upper-filter', { input: 'hello' }))).toBe('"HELLO"');
  });
});

describe('a failure', () => {
  test('by exit code is permanent and tells what the program said', async () => {
    const failure = run('fail');
    await expect(failure).rejects.toMatchObject({ kind: 'permanent', code: 'exit_code' });
    await expect(failure).rejects.toThrow(/exit code 3\nstderr: what went wrong\nstdout: so far so good/);
  });

  test('by an exit code is none when the profile accepts it, and retryable when it says so', async () => {
    expect(await text(await run('fail', { settings: { acceptExitCodes: [0, 3] } }))).toBe('"hello"');
    await expect(run('fail', { settings: { retryExitCodes: [3] } })).rejects.toMatchObject({ kind: 'retryable' });
  });

  test('keeps the message short however much the program said', async () => {
    const failure: unknown = await run('talk').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'exit_code', message: expect.stringContaining('line 2999') });
    expect((failure as Error).message.length).toBeLessThan(4000);
  });

  test.each([
    ['silent', 'wrote no output file'],
    ['empty', 'wrote an empty output file'],
  ])('of a program that is %s has the code no_output', async (command, message) => {
    const failure = run(command);
    await expect(failure).rejects.toMatchObject({ kind: 'permanent', code: 'no_output' });
    await expect(failure).rejects.toThrow(message);
  });

  test('by a signal is retryable', async () => {
    await expect(run('crash')).rejects.toMatchObject({ kind: 'retryable', code: 'killed' });
  });

  test('by an output that is a link leads nowhere', async () => {
    await expect(run('link')).rejects.toMatchObject({ code: 'no_output' });
  });

  test('by an output that grows without end comes while it grows', async () => {
    const settings = { maxOutputBytes: 1000, timeLimitMs: 20_000 };
    await expect(run('grow', { settings })).rejects.toMatchObject({ kind: 'permanent', code: 'output_too_large' });
  });

  test('comes for an input that is too large or holds blobs inside of JSON', async () => {
    const input = await setting.trial.blobs.create({ mediaType: 'text/plain' }, Buffer.alloc(100));
    const settings = { maxInputBytes: 99 };
    await expect(run('copy', { input, settings })).rejects.toMatchObject({ code: 'input_too_large' });
    await expect(run('copy', { input: [input] })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test.each([
    ['a program that is not allowed', { command: 'sh' }],
    ['a path to a program', { command: '/bin/sh' }],
    ['a variable that changes what programs do', { command: 'copy', env: { LD_PRELOAD: '/tmp/x.so' } }],
    ['an unknown placeholder', { command: 'copy', args: ['{ouput}'] }],
    ['an output outside of the folder', { command: 'copy', outputName: '../x' }],
  ])('comes when the profile is checked: %s', async (_what, settings) => {
    await expect(run('copy', { settings })).rejects.toMatchObject({ code: 'invalid_settings' });
  });
});

describe('the end', () => {
  test('of the time limit stops a program that hangs: timed_out', async () => {
    const begin = performance.now();
    const failure = run('hang', { settings: { timeLimitMs: 300 } });
    await expect(failure).rejects.toMatchObject({ kind: 'retryable', code: 'timed_out' });
    await expect(failure).rejects.toThrow(/within 300 ms\nstderr: thinking/);
    expect(performance.now() - begin).toBeLessThan(30_000);
  });

  test('comes by SIGKILL for a program that is deaf to SIGTERM', async () => {
    await expect(run('deaf', { settings: { timeLimitMs: 400, graceMs: 200 } })).rejects.toMatchObject({
      code: 'timed_out',
    });
    expect(running(await pid('pid'))).toBe(false);
  });

  test('comes for children and grandchildren too, also those with a session of their own', async () => {
    expect(await text(await run('family'))).toBe('"hello"');
    for (const name of ['child', 'far', 'farther']) expect([name, running(await pid(name))]).toEqual([name, false]);
  });

  test('comes soon when the job is cancelled', async () => {
    const abort = new AbortController();
    const settings = { command: 'deaf', env: { ROOT: setting.root }, graceMs: 100 };
    const over = setting.trial.run(setting.function('cu.exec'), { settings, input: 1, signal: abort.signal });
    const id = await pid('pid');
    abort.abort();
    await expect(over).rejects.toMatchObject({ code: 'cancelled' });
    expect(running(id)).toBe(false);
  });
});

describe('a file on a share', () => {
  test('is read as an input and left as a result, and never moved', async () => {
    await writeFile(setting.path('files/in.txt'), 'from the share');
    const settings = { resultFile: { share: 'files', name: 'r-{id}.txt' } };
    const value = await run('copy', { input: { file: { share: 'files', path: 'in.txt' } }, settings });
    expect(value).toEqual({ file: { share: 'files', path: expect.stringMatching(/^r-.*\.txt$/) } });
    const { path } = (value as { file: { path: string } }).file;
    expect(await readFile(setting.path('files', path), 'utf8')).toBe('from the share');
    expect(await readFile(setting.path('files/in.txt'), 'utf8')).toBe('from the share');
  });

  test.each([
    ['path_refused', '../exchange/secret'],
    ['path_refused', '/etc/passwd'],
    ['path_refused', 'link'],
    ['path_refused', 'folder/passwd'],
    ['path_refused', 'a\\b'],
    ['file_missing', 'nothing'],
  ])('is refused with %s: %s', async (code, path) => {
    await symlink('/etc/passwd', setting.path('files/link'));
    await symlink('/etc', setting.path('files/folder'));
    const input = { file: { share: 'files', path } };
    await expect(run('copy', { input })).rejects.toMatchObject({ kind: 'permanent', code });
  });

  test('is refused on a share that is not for reading', async () => {
    const input = { file: { share: 'exchange', path: 'x' } };
    await expect(run('copy', { input })).rejects.toMatchObject({ code: 'unknown_share' });
  });

  test('becomes a blob through cu.fetch', async () => {
    await writeFile(setting.path('files/a.png'), 'pixels');
    const input = { file: { share: 'files', path: 'a.png' } };
    const { value } = await setting.trial.run(setting.function('cu.fetch'), { input });
    expect(value).toMatchObject({ mediaType: 'image/png', size: 6 });
    const { value: same } = await setting.trial.run(setting.function('cu.fetch'), { input: value });
    expect(same).toEqual(value);
  });
});
