import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { choosePort, ensureDatabase, migrateDeploy } from '@connecta/embedded';
import { TestSystem, until } from '../src/system.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const kit = join(root, 'packages/worker-kit');
const children: ChildProcess[] = [];
let system: TestSystem;
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'connecta-packed-'));
  system = await TestSystem.start({ workerTypes: [] });
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await system.stop();
  await rm(project, { recursive: true, force: true });
});

/** A worker type as another team's project has it. */
const WORKER = `
import { defineFunction } from '@connecta/worker-kit';

const double = defineFunction({
  name: 'outside.double',
  version: '1.0.0',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: { type: 'number' },
  outputSchema: { type: 'number' },
  run: async ({ input }) => ({ value: (input as number) * 2 }),
});

export const outside = {
  type: 'outside',
  version: '1.0.0',
  owner: { team: 'Outside', contact: 'outside@example.org' },
  functions: [double],
  samples: [{ name: 'double', function: 'outside.double', settings: {} }],
};
`;
const API = `
import { readWorkerApiConfig, startWorkerApi } from '@connecta/worker-kit';
import { runProcess } from '@connecta/worker-kit/runtime';
import { outside } from './worker.ts';

await runProcess({
  name: 'outside-api',
  config: () => readWorkerApiConfig(process.env),
  main: async (scope) => void (await startWorkerApi({ ...scope, workerType: outside })),
});
`;
const RUNNER = `
import { readRunnerConfig, startRunner } from '@connecta/worker-kit';
import { runProcess } from '@connecta/worker-kit/runtime';
import { outside } from './worker.ts';

await runProcess({
  name: 'outside-runner',
  config: () => readRunnerConfig(process.env),
  main: async (scope) => void startRunner({ ...scope, workerType: outside, onDrained: () => scope.stop('drained') }),
});
`;

/** Compiles only where the packed declarations say what a worker type is: `any` would take all of it. */
const TYPES = `
import type { WorkerType } from '@connecta/worker-kit';
import { outside } from './worker.ts';

export const whole: WorkerType = outside;
// @ts-expect-error: nobody owns it.
export const nobodys: WorkerType = { ...outside, owner: undefined };
`;

/** Type-checks the project against the declarations in the packed kit; Node's own are this repository's. */
async function typeCheck(): Promise<void> {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--allowImportingTsExtensions'];
  const node = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...node, 'api.ts', 'runner.ts', 'types.ts'];
  await run(process.execPath, tsc, { cwd: project }).catch((error: unknown) => {
    throw new Error((error as { stdout?: string }).stdout ?? '', { cause: error });
  });
}

test('a project outside of this repository installs the packed kit, has its types and runs orders with it', async () => {
  // Given the packed kit in a project of its own
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH: `${dirname(process.execPath)}${delimiter}${PATH}`, HOME };
  const npm = (cwd: string, ...args: string[]) =>
    run('npm', args, { cwd, env: { ...process.env, ...env }, maxBuffer: 16 * 1024 * 1024, timeout: 100_000 });
  const packed = await npm(kit, 'pack', '--json', '--pack-destination', project);
  const [{ filename = '' } = {}] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('['))) as {
    filename?: string;
  }[];
  await writeFile(join(project, 'package.json'), '{ "name": "outside", "private": true, "type": "module" }');
  await npm(project, 'install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`);
  const files = { 'worker.ts': WORKER, 'api.ts': API, 'runner.ts': RUNNER, 'types.ts': TYPES };
  for (const [file, text] of Object.entries(files)) await writeFile(join(project, file), text);
  // Then it has the kit's types
  await typeCheck();
  // Given an account and a database of its own, made with the kit's migrations
  const body = { name: 'outside', workerType: 'outside', allowedClients: [] };
  const account = await system.api.send<{ key: string }>('POST', '/v1/service-accounts', { body });
  const url = await ensureDatabase(system.running.embedded.env['DATABASE_URL'] ?? '', 'worker_outside');
  await migrateDeploy(url, join(project, 'node_modules/@connecta/worker-kit/dist/migrations'));
  // When its two processes are started
  const port = String(await choosePort());
  for (const file of ['api.ts', 'runner.ts']) {
    const child = spawn(process.execPath, [join(project, file)], {
      cwd: project,
      env: {
        ...{
          ...env,
          BE_API_URL: system.running.beUrl,
          SERVICE_ACCOUNT_KEY: account.body.key,
          WORKER_DATABASE_URL: url,
        },
        ...{ WORKER_API_PORT: port, WORKER_API_URL: `http://127.0.0.1:${port}`, SLOTS: '2' },
        ...{
          PROFILE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64url'),
          CONNECTA_GATEWAY_KEY: 'not called here',
        },
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.push(child);
  }
  await until(() => system.store.prisma.profile.count({ where: { workerType: 'outside' } }));
  // Then an order runs through it
  expect(await system.api.run({ client: 'default', input: 21, tasks: ['outside/double'] })).toMatchObject({
    state: 'completed',
    result: 42,
  });
});
