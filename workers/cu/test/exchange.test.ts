import { existsSync } from 'node:fs';
import { readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { BlobRef, JsonValue } from '@connecta/contracts';
import { LegacySetting, until } from './legacy-setting.ts';

const FOLDERS = { share: 'exchange', dropFolder: 'in', answerFolder: 'out' };
let setting: LegacySetting;
beforeEach(async () => {
  setting = await LegacySetting.make();
});
afterEach(async () => {
  expect(await setting.leftFolders()).toEqual([]);
  await setting.remove();
});

function run(settings: object = {}, more: { input?: JsonValue; signal?: AbortSignal } = {}) {
  const all = { ...FOLDERS, stableMs: 100, pollMs: 20, timeLimitMs: 5_000, ...settings };
  return setting.trial.run(setting.function('cu.exchange'), { settings: all, input: 'hello', ...more });
}

/** Plays the legacy program: waits for the drop and returns its id. */
async function dropped(): Promise<string> {
  const name = await until(async () => {
    return (await readdir(setting.path('exchange/in'))).find((file) => !file.startsWith('.') && file.endsWith('.in'));
  });
  return name.slice(0, -'.in'.length);
}
const answer = (name: string, text: string): Promise<void> => writeFile(setting.path('exchange/out', name), text);
const text = async (value: JsonValue): Promise<string> => (await setting.trial.blobs.read(value as BlobRef)).toString();
const left = async (): Promise<string[]> =>
  [...(await readdir(setting.path('exchange/in'))), ...(await readdir(setting.path('exchange/out')))].sort();

describe('an exchange', () => {
  test('drops the whole input, takes the answer and removes both', async () => {
    const over = run();
    const id = await dropped();
    expect(await readFile(setting.path('exchange/in', `${id}.in`), 'utf8')).toBe('"hello"');
    await answer(`${id}.out`, 'the answer');
    expect(await text((await over).value)).toBe('the answer');
    expect(await left()).toEqual([]);
  });

  test('takes no answer that still grows', async () => {
    const over = run({ stableMs: 300 });
    const id = await dropped();
    for (const part of ['a', 'ab', 'abc', 'abcd']) {
      await answer(`${id}.out`, part);
      await sleep(120);
    }
    expect(await text((await over).value)).toBe('abcd');
  });

  test('waits for the done marker where the profile names one, however still the answer lies', async () => {
    const over = run({ doneName: '{id}.ok', stableMs: 0 });
    const id = await dropped();
    await answer(`${id}.out`, 'half');
    await sleep(200);
    await answer(`${id}.out`, 'half and half');
    await answer(`${id}.ok`, '');
    expect(await text((await over).value)).toBe('half and half');
    expect(await left()).toEqual([]);
  });

  test('never takes the answer to another run, and sweeps those of this job and very old ones alone', async () => {
    const first = run({ timeLimitMs: 300 }).catch((error: unknown) => error);
    const late = await dropped();
    await first;
    await answer(`${late}.out`, 'too late');
    const old = new Date(Date.now() - 8 * 86_400_000);
    await utimes(setting.path('exchange/out', `${late}.out`), old, old);
    await answer('patient-7.out', 'somebody else');
    await utimes(setting.path('exchange/out/patient-7.out'), old, old);
    const second = run();
    const id = await dropped();
    expect(id).not.toBe(late);
    expect(await left()).toEqual([`${id}.in`, 'patient-7.out'].sort());
    await answer(`${id}.out`, 'mine');
    expect(await text((await second).value)).toBe('mine');
  });
});

describe('a failed exchange', () => {
  test('tells the text of the error file', async () => {
    const over = run({ errorName: '{id}.err', errorKind: 'business', stableMs: 50 });
    const failed = expect(over).rejects.toMatchObject({
      kind: 'business',
      code: 'program_error',
      message: 'E1 no ink',
    });
    await answer(`${await dropped()}.err`, 'E1 no ink\n');
    await failed;
    expect(await left()).toEqual([]);
  });

  test('is timed_out when no answer comes, and leaves nothing behind', async () => {
    await expect(run({ timeLimitMs: 200 })).rejects.toMatchObject({ kind: 'retryable', code: 'timed_out' });
    expect(await left()).toEqual([]);
  });

  test('is no_output when the answer stays empty, or the marker comes without an answer', async () => {
    const over = run({ timeLimitMs: 500 });
    const failed = expect(over).rejects.toMatchObject({ code: 'no_output' });
    await answer(`${await dropped()}.out`, '');
    await failed;
    const marked = run({ doneName: '{id}.ok' });
    const refused = expect(marked).rejects.toMatchObject({ code: 'no_output' });
    await answer(`${await dropped()}.ok`, '');
    await refused;
  });

  test('takes no answer that is a link or too large', async () => {
    const linked = run();
    const refused = expect(linked).rejects.toMatchObject({ code: 'path_refused' });
    await symlink('/etc/passwd', setting.path('exchange/out', `${await dropped()}.out`));
    await refused;
    expect(existsSync('/etc/passwd')).toBe(true);
    const large = run({ maxOutputBytes: 3 });
    const bounded = expect(large).rejects.toMatchObject({ code: 'output_too_large' });
    await answer(`${await dropped()}.out`, 'four');
    await bounded;
    expect(await left()).toEqual([]);
  });

  test('takes its drop back when the job is cancelled', async () => {
    const abort = new AbortController();
    const over = expect(run({}, { signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
    await dropped();
    abort.abort();
    await over;
    expect(await left()).toEqual([]);
  });

  test('is refused where a folder is a link, is missing, or leads out of the share', async () => {
    await rm(setting.path('exchange/out'), { recursive: true });
    await expect(run()).rejects.toMatchObject({ kind: 'retryable', code: 'share_unavailable' });
    await symlink(setting.path('files'), setting.path('exchange/out'));
    await expect(run()).rejects.toMatchObject({ kind: 'permanent', code: 'path_refused' });
    await expect(run({ dropFolder: '../files' })).rejects.toMatchObject({ code: 'invalid_settings' });
    await expect(run({ answerName: 'fixed.out' })).rejects.toMatchObject({ code: 'invalid_settings' });
    await expect(run({ share: 'files' })).rejects.toMatchObject({ code: 'invalid_settings' });
  });
});

describe('the example slow-folder', () => {
  let program: ChildProcess;
  beforeEach(async () => {
    const path = join(import.meta.dirname, '../../../examples/legacy/slow-folder.mjs');
    const env = { SLOW_FOLDER_DELAY_MS: '100', SLOW_FOLDER_FAIL: '0' };
    program = spawn(process.execPath, [path, setting.path('exchange')], { env, stdio: 'ignore' });
    await once(program, 'spawn');
  });
  afterEach(async () => {
    program.kill();
    await once(program, 'exit');
  });
  const names = { doneName: '{id}.done', errorName: '{id}.err', errorKind: 'retryable' };

  test('answers with a whole receipt although it writes it in two halves', async () => {
    const { value } = await run({ ...names, stableMs: 0 }, { input: 'three little words' });
    expect(await text(value)).toBe('lines 0\nwords 3\nbytes 20\n');
  });

  test('fails with its sentence', async () => {
    const error = { kind: 'retryable', code: 'program_error', message: expect.stringContaining('E042') };
    await expect(run(names, { input: 'PLEASE FAIL' })).rejects.toMatchObject(error);
  });
});
