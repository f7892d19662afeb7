import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConfigError } from '@connecta/runtime';
import { readBoth, readCuRules, readInboxConfig } from './config.ts';
import { cuSamples } from './samples.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cu-config-'));
  await writeFile(join(folder, 'upper-filter'), '#!/bin/sh\n');
  await chmod(join(folder, 'upper-filter'), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

/** What is wrong with a configuration, as `variable: fault`. */
function faultsOf(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    return (error as ConfigError).faults.map(({ variable, expected }) => `${variable}: ${expected}`);
  }
}

describe('what the operator allows', () => {
  test('is gzip alone by default, where there is one, and no share', () => {
    expect(readCuRules({ PATH: folder })).toMatchObject({ envNames: ['TZ'], shares: {} });
    expect([...readCuRules({ PATH: folder }).commands.keys()].filter((name) => name !== 'gzip')).toEqual([]);
  });

  test('is read from its variables, and samples come for what is there', () => {
    const rules = readCuRules({
      CU_COMMANDS: folder,
      CU_ENV: 'TZ,LANGUAGE',
      CU_SHARES: JSON.stringify({ 'slow-folder': { path: '/srv/slow', uses: ['exchange'] } }),
    });
    expect([...rules.commands]).toEqual([['upper-filter', join(folder, 'upper-filter')]]);
    expect(rules.envNames).toEqual(['TZ', 'LANGUAGE']);
    expect(cuSamples(rules).map(({ name }) => name)).toEqual(['fetch', 'upper-filter', 'slow-folder']);
  });

  test.each([
    [{ CU_COMMANDS: ['/nothing/here', 'no-such-program'].join(delimiter) }, ['CU_COMMANDS', 'CU_COMMANDS']],
    [{ CU_ENV: 'TZ,LD_PRELOAD,NODE_OPTIONS' }, ['CU_ENV', 'CU_ENV']],
    [{ CU_SHARES: '{' }, ['CU_SHARES']],
    [{ CU_SHARES: '{"x": {"path": "relative", "uses": []}}' }, ['CU_SHARES', 'CU_SHARES']],
  ])('is refused with every fault: %j', (env, variables) => {
    expect(faultsOf(() => readCuRules(env)).map((fault) => fault.split(':')[0])).toEqual(variables);
  });

  test('is refused when a program could be replaced through a share', () => {
    const env = { CU_COMMANDS: folder, CU_SHARES: JSON.stringify({ x: { path: folder, uses: ['write'] } }) };
    expect(faultsOf(() => readCuRules(env))[0]).toContain('lies on share x');
  });

  test('is told together with the faults of the rest', () => {
    const fail = (variable: string) => (): never => {
      throw new ConfigError([{ variable, expected: 'better' }]);
    };
    expect(faultsOf(() => readBoth(fail('A'), fail('B')))).toEqual(['A: better', 'B: better']);
  });
});

describe('the inboxes', () => {
  const process = { BE_API_URL: 'http://localhost:4100', SERVICE_ACCOUNT_KEY: 'sk_x' };
  const inbox = { name: 'lab', path: '/a/in', outbox: '/a/out', rejected: '/a/rejected', client: 'client-x' };
  const read = (...inboxes: object[]) => readInboxConfig({ ...process, CU_INBOXES: JSON.stringify(inboxes) });

  test('have defaults', () => {
    expect(read(inbox).inboxes).toMatchObject([
      { ...inbox, working: '/a/in/.connecta', create: false, stableMs: 3_000, maxInFlight: 16 },
    ]);
  });

  test.each([
    ['a relative path', [{ ...inbox, path: 'in' }]],
    ['one folder for two purposes', [{ ...inbox, outbox: '/a/in/' }]],
    ['both tasks and a workflow', [{ ...inbox, tasks: ['a/b'], workflow: 'w' }]],
    ['two of one name', [inbox, { ...inbox, path: '/b/in' }]],
    ['two of one path', [inbox, { ...inbox, name: 'other' }]],
    ['a setting that is none', [{ ...inbox, stable: 1 }]],
  ])('are refused with %s', (_what, inboxes) => {
    expect(faultsOf(() => read(...inboxes))).toHaveLength(1);
  });
});
