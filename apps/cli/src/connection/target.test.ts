import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { contextFilePath, isOpenToOthers, readContexts, writeContexts } from './context-file.ts';
import { findTarget } from './target.ts';

describe('the installation that is meant', () => {
  const folder = mkdtempSync(join(tmpdir(), 'connecta-cli-'));
  const home = { HOME: folder };
  const local = { ...home, CONNECTA_DATA_DIR: join(folder, '.connecta') };

  beforeAll(() => {
    writeContexts(contextFilePath(home), {
      current: 'here',
      contexts: {
        here: { url: 'http://here:4000', key: 'ck_here', client: 'client-x' },
        prod: { url: 'https://prod', keyVariable: 'PROD_KEY' },
      },
    });
    mkdirSync(join(folder, '.connecta'));
    writeFileSync(join(folder, '.connecta/access.json'), '{"url":"http://127.0.0.1:4321","adminKey":"ck_local"}');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is told by flags before the environment, by that before contexts, by those before the local system', () => {
    const env = { ...local, CONNECTA_URL: 'http://env', CONNECTA_KEY: 'ck_env' };
    expect(findTarget({ url: 'http://flag', key: 'ck_flag' }, env, folder)).toMatchObject({
      url: 'http://flag',
      key: 'ck_flag',
    });
    expect(findTarget({}, env, folder)).toMatchObject({ url: 'http://env', key: 'ck_env', source: 'CONNECTA_URL' });
    expect(findTarget({}, local, folder)).toMatchObject({
      url: 'http://here:4000',
      key: 'ck_here',
      client: 'client-x',
    });
    const without = { ...local, XDG_CONFIG_HOME: join(folder, 'none') };
    expect(findTarget({}, without, folder)).toMatchObject({ url: 'http://127.0.0.1:4321', key: 'ck_local' });
  });

  test('is the context that the command line names, whatever the shell holds', () => {
    const env = { ...home, CONNECTA_URL: 'http://env', PROD_KEY: 'ck_prod' };
    expect(findTarget({ context: 'prod' }, env, folder)).toMatchObject({ url: 'https://prod', key: 'ck_prod' });
    expect(() => findTarget({ context: 'nope' }, env, folder)).toThrow("There is no context 'nope'");
  });

  test('never gets a key that was found beside another address', () => {
    expect(findTarget({ url: 'http://elsewhere' }, local, folder)?.key).toBeUndefined();
    expect(findTarget({ url: 'http://here:4000/' }, local, folder)?.key).toBe('ck_here');
    expect(findTarget({ url: 'http://127.0.0.1:4321' }, local, folder)?.key).toBe('ck_local');
  });

  test('is refused when its address is none', () => {
    expect(() => findTarget({ url: 'ftp://x' }, home, folder)).toThrow("'ftp://x' is no http or https address.");
  });

  test('is looked for in folders above', () => {
    const below = join(folder, 'a/b');
    mkdirSync(below, { recursive: true });
    const env = { XDG_CONFIG_HOME: join(folder, 'none') };
    expect(findTarget({}, env, below)).toMatchObject({ url: 'http://127.0.0.1:4321' });
  });

  test('is kept in a file that only its owner can read', () => {
    const path = contextFilePath(home);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(isOpenToOthers(path)).toBe(false);
  });

  test('is told of when the file makes no sense', () => {
    const path = join(folder, 'odd.yaml');
    writeFileSync(path, 'contexts: {x: {key: 1}}');
    expect(() => readContexts(path)).toThrow("is not as expected (the context 'x')");
    writeFileSync(path, 'a: [');
    expect(() => readContexts(path)).toThrow('is no YAML');
  });
});
