import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMessageChecker, type WorkerEvent } from '@connecta/contracts';
import { choosePort } from '@connecta/embedded';
import { FunctionTrial, defineFunction } from '@connecta/worker-kit';
import { hasPrograms } from '../src/shell-blocks.ts';
import { TestSystem, until } from '../src/system.ts';

const HOLD_MS = 4000;
const root = join(import.meta.dirname, '../..');
const children: ChildProcess[] = [];
const folderOf = new Map<string, string>();
let system: TestSystem;
let keys: Record<'probe' | 'py-a' | 'py-b', string>;

beforeAll(async () => {
  system = await TestSystem.start({
    workerTypes: ['probe'],
    slots: 2,
    extra: { CONNECTA_HOLD_MS: String(HOLD_MS), WORKER_HEARTBEAT_MS: '1000' },
  });
  const keyOf = async (workerType: string): Promise<string> => {
    const body = { name: `http-${workerType}`, workerType, allowedClients: [] };
    const answer = await system.api.send<{ key: string }>('POST', '/v1/service-accounts', { body });
    expect(answer.status).toBe(201);
    return answer.body.key;
  };
  keys = { probe: await keyOf('probe'), 'py-a': await keyOf('py-a'), 'py-b': await keyOf('py-b') };
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await system.stop();
  await Promise.all([...folderOf.values()].map((folder) => rm(folder, { recursive: true, force: true })));
});

const beginnings = async (jobId: string): Promise<number> =>
  (await system.ledger()).filter((line) => line.startsWith(`begin ${jobId}`)).length;

describe('a worker type with a BullMQ runner and an HTTP worker', () => {
  const httpWorker = async (instance: string, ms: number): Promise<ChildProcess> => {
    const { PATH = '' } = process.env;
    const child = fork(join(root, 'features/probe/http-worker.mjs'), [], {
      env: {
        ...{ PATH, BE_API_URL: system.running.beUrl, SERVICE_ACCOUNT_KEY: keys.probe, INSTANCE: instance },
        ...{ PROBE_LEDGER: system.ledgerFile, MS: String(ms) },
      },
    });
    children.push(child);
    await once(child, 'message');
    return child;
  };

  test('shares its jobs between them, and each is run once', async () => {
    // Given a type with a BullMQ runner of two slots and an HTTP worker of two
    const worker = await httpWorker('http-1', 60);
    // When forty orders of two steps come at once
    const ids = await system.api.placeMany(
      Array.from({ length: 40 }, (_, i) => ({ client: 'default', input: i, tasks: ['probe/slow', 'probe/slow'] })),
    );
    // Then all have the right result, and both did their part
    const orders = await Promise.all(ids.map((id) => system.api.ended(id)));
    expect(orders.map(({ result }) => result)).toEqual(ids.map((_, i) => i + 2));
    const jobs = await system.store.prisma.job.findMany({ where: { orderId: { in: ids } } });
    const instances = new Set(jobs.map(({ instance }) => instance));
    expect(instances.has('http-1')).toBe(true);
    expect(instances.size).toBeGreaterThan(1);
    // And no job was begun twice
    for (const { id, attempt } of jobs) expect([await beginnings(id), attempt]).toEqual([1, 1]);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  });

  test('takes new items from an HTTP worker, too', async () => {
    // Given that the runner is away, and a list of which one item knows of a further one
    const runner = system.process('probe-runner');
    await runner.halt();
    const worker = await httpWorker('http-3', 5);
    const forEach = { items: 'input', key: 'each.item.id', related: { beside: '["b"]' } };
    const look = {
      uses: 'probe/tooth',
      forEach,
      with: { neighbours: 'each.related.beside.map(r, r.key)', finds: 'each.item.finds' },
    };
    // When the HTTP worker works through it
    const order = await system.api.run({ steps: { look }, input: [{ id: 'a', finds: [{ id: 'b', finds: [] }] }] });
    // Then the list has both, and each saw the new one
    expect(order).toMatchObject({ state: 'completed', result: [['b'], ['b']] });
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await runner.restart();
  });

  test('gives what a killed HTTP worker held to the others', async () => {
    // Given that the runner is away, so that the HTTP worker gets the job
    const runner = system.process('probe-runner');
    await runner.halt();
    const worker = await httpWorker('http-2', 60_000);
    const before = (await system.ledger()).length;
    const id = await system.api.place({ client: 'default', input: 1, tasks: ['probe/quick'] });
    await until(async () => (await system.ledger()).length > before);
    // When it is killed in the middle of its work, and the runner comes back
    worker.kill('SIGKILL');
    await runner.restart();
    // Then the order ends by a later attempt, at the runner
    const order = await system.api.ended(id);
    expect(order).toMatchObject({ state: 'completed', result: 2 });
    expect(order.jobs['quick']).toMatchObject({ attempt: 2 });
    expect(order.jobs['quick']?.instance).not.toBe('http-2');
  });
});

test('what travels is as the AsyncAPI document has it', async () => {
  const published = await fetch(`${system.running.beUrl}/asyncapi.json`);
  const faultsOf = createMessageChecker((await published.json()) as Record<string, unknown>);
  // Given the messages that the orchestrator sent and be-api handed out
  const messages = await system.store.prisma.jobClaim.findMany({ take: 20 });
  expect(messages.length).toBeGreaterThan(0);
  for (const { message } of messages) expect(faultsOf('JobMessage', message)).toEqual([]);
  // And the reports of a worker that takes a while, leaves a checkpoint, and of one that fails
  const trial = new FunctionTrial();
  const schemas = { settingsSchema: {}, inputSchema: {}, outputSchema: {} };
  const slow = defineFunction({
    ...{ name: 'a.slow', version: '1', ...schemas },
    async run({ progress, blobs }) {
      await progress(0.5, await blobs.create({ mediaType: 'text/plain' }, Buffer.from('x')));
      return { value: { done: true } };
    },
  });
  const broken = defineFunction({
    ...{ name: 'a.broken', version: '1', ...schemas },
    run: () => Promise.reject(new Error('no')),
  });
  const { reports } = await trial.run(slow, { input: null });
  const failure = await trial
    .run(broken, { input: null })
    .catch((error: unknown) => error as { reports: WorkerEvent[] });
  // Then every one of them fits the schema of its kind
  const schemaOf = { started: 'Started', progress: 'Progress', completed: 'Completed', failed: 'Failed' } as const;
  const all = [...reports, ...('reports' in failure ? failure.reports : [])];
  expect(new Set(all.map(({ type }) => type)).size).toBe(4);
  for (const report of all) expect(faultsOf(schemaOf[report.type], report)).toEqual([]);
});

const python = hasPrograms(process.env['PATH'] ?? '', 'python3') || process.env['CI'] === 'true';
const describePython = python ? describe : describe.skip;

describePython('two task servers in Python, of which one needs the other', () => {
  const taskServer = async (type: 'py-a' | 'py-b'): Promise<ChildProcess> => {
    // Its profiles are in its folder, and stay when it is started again.
    const folder = folderOf.get(type) ?? (await mkdtemp(join(tmpdir(), 'connecta-python-')));
    folderOf.set(type, folder);
    const { PATH = '' } = process.env;
    const port = String(await choosePort());
    const child = spawn('python3', [join(root, 'examples/python-task-server/main.py')], {
      env: {
        ...{ PATH, BE_API_URL: system.running.beUrl, SERVICE_ACCOUNT_KEY: keys[type], WORKER_TYPE: type },
        PYTHONDONTWRITEBYTECODE: '1',
        ...{ WORKER_API_PORT: port, WORKER_API_URL: `http://127.0.0.1:${port}`, WORKER_DATA_DIR: folder },
        ...{ CONNECTA_GATEWAY_KEY: 'unused here', SLOTS: '2' },
      },
      stdio: 'ignore',
    });
    children.push(child);
    await until(async () => {
      const instances = await system.store.prisma.workerInstance.count({ where: { workerType: type, state: 'ready' } });
      return instances > 0;
    });
    return child;
  };
  const servers: Partial<Record<'py-a' | 'py-b', ChildProcess>> = {};
  beforeAll(async () => {
    servers['py-a'] = await taskServer('py-a');
    servers['py-b'] = await taskServer('py-b');
  });

  test('run in the right order, each in its own process', async () => {
    // Given a step at B that needs a step at A
    const steps = { first: { uses: 'py-a/words' }, second: { uses: 'py-b/count-slowly', needs: ['first'] } };
    // When the order runs
    const order = await system.api.run({ client: 'default', input: 'a b c', steps, output: 'second' });
    // Then B began when A had ended
    expect(order).toMatchObject({ state: 'completed', result: { counted: 20, resumedAt: 0 } });
    expect(order.jobs['first']?.result).toEqual(['a', 'b', 'c']);
    const [ended = '', began = ''] = [order.jobs['first']?.finishedAt, order.jobs['second']?.startedAt];
    expect(Date.parse(began)).toBeGreaterThanOrEqual(Date.parse(ended));
    expect(order.jobs['first']?.instance).not.toBe(order.jobs['second']?.instance);
  });

  test('keep the failure of the one to what needs it', async () => {
    // Given a step at A that refuses its input, one at B that needs it, and one at B that does not
    const steps = {
      refused: { uses: 'py-a/table' },
      blocked: { uses: 'py-b/count-slowly', needs: ['refused'] },
      free: { uses: 'py-b/stats' },
    };
    // When the order runs
    const order = await system.api.run({ client: 'default', input: 'only,a,head', steps, output: 'free' });
    // Then the other branch has its result, and the trace says what became of each
    expect(order).toMatchObject({ state: 'completed', result: { words: 1 } });
    expect(order.jobs['refused']).toMatchObject({ state: 'error', error: { kind: 'business', code: 'empty_table' } });
    expect(order.jobs['blocked']?.state).toBe('skipped');
  });

  test('finish after a restart in the middle, and A is not run twice', async () => {
    // Given an order whose step at B is under way, with a checkpoint
    const steps = { first: { uses: 'py-a/words' }, second: { uses: 'py-b/count-slowly', needs: ['first'] } };
    const id = await system.api.place({ client: 'default', input: 'a', steps, output: 'second' });
    await until(() =>
      system.store.prisma.job.count({ where: { orderId: id, step: 'second', progress: { gte: 0.25 } } }),
    );
    // When B, be-api and the orchestrator are killed, and all come back
    servers['py-b']?.kill('SIGKILL');
    system.process('be-api').kill('SIGKILL');
    system.process('orchestrator').kill('SIGKILL');
    await until(async () => (await fetch(`${system.running.beUrl}/ready`)).ok);
    servers['py-b'] = await taskServer('py-b');
    // Then B goes on from its checkpoint under a new attempt, and A ran once
    const order = await system.api.ended(id);
    expect(order.state).toBe('completed');
    expect(order.jobs['first']).toMatchObject({ state: 'completed', attempt: 1 });
    expect(order.jobs['second']?.attempt).toBeGreaterThan(1);
    expect((order.result as { resumedAt: number }).resumedAt).toBeGreaterThanOrEqual(5);
  });
});
