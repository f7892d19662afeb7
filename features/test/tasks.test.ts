import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TraceOrder } from '../src/api-client.ts';
import { CommandLine } from '../src/command-line.ts';
import { TestSystem, until } from '../src/system.ts';

interface Invocation {
  id: string;
  runs: string[];
  fresh: { task: string; orderId: string; since: string }[];
}

/** Two worker types in processes of their own: `follower/double` follows `probe/slow`, which it knows by name alone. */
describe('tasks that declare what they follow', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({
      workerTypes: ['probe', 'follower'],
      entries: { probe: 'features/probe', follower: 'features/follower' },
      replicas: { orchestrator: 2 },
      extra: { CONNECTA_HOLD_MS: '5000', WORKER_HEARTBEAT_MS: '1000' },
    });
    await until(async () => (await system.api.send('GET', '/v1/workers/follower')).status === 200);
  });
  afterAll(() => system.stop());

  const invoke = async (task: string, body: object = {}): Promise<Invocation> => {
    const answer = await system.api.send<Invocation>('POST', `/v1/tasks/${task}/invoke`, { body });
    if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
    return answer.body;
  };
  const began = async (): Promise<number> => (await system.ledger()).filter((line) => line.startsWith('begin')).length;
  const statesOf = ({ jobs }: TraceOrder): [string, string][] =>
    Object.entries(jobs).map(([step, { state }]) => [step, state]);

  test('what a task follows runs first, in another process, and its result is handed on', async () => {
    // Given that nothing has run yet
    // When somebody runs the task of one team
    const { id, runs, fresh } = await invoke('follower/double', { input: 5 });
    // Then the other team's task runs before it
    expect([runs, fresh]).toEqual([['probe/slow', 'follower/double'], []]);
    const order = await system.api.ended(id);
    expect([order.state, order.result]).toEqual(['completed', 12]);
    const { slow, double } = order.jobs;
    expect([slow?.result, double?.input]).toEqual([6, 6]);
    expect(Date.parse(slow?.finishedAt ?? '')).toBeLessThanOrEqual(Date.parse(double?.startedAt ?? ''));
  });

  test('what is fresh is not run again: its result is taken over, and the answer says since when', async () => {
    // Given the run before
    const before = await began();
    // When the task is run again
    const { id, runs, fresh } = await invoke('follower/double', { input: 100 });
    // Then the task above it does not run
    expect(runs).toEqual(['follower/double']);
    expect(fresh).toEqual([{ task: 'probe/slow', orderId: expect.any(String), since: expect.any(String) }]);
    expect((await system.api.ended(id)).result).toBe(12);
    expect(await began()).toBe(before);
    // And by force it does
    const forced = await invoke('follower/double', { input: 100, force: true });
    expect(forced.runs).toEqual(['probe/slow', 'follower/double']);
    expect((await system.api.ended(forced.id)).result).toBe(202);
  });

  test('a repeat under the same key tells what the first one found', async () => {
    const headers = { 'idempotency-key': 'invoke-once' };
    const send = () => system.api.send<Invocation>('POST', '/v1/tasks/follower/double/invoke', { body: {}, headers });
    const first = await send();
    await system.api.ended(first.body.id);
    expect((await send()).body).toEqual(first.body);
  });

  test('when a task fails, what follows it does not run, and all else does', async () => {
    // Given an input that the first task cannot take
    const failing = await invoke('follower/double', { input: 'no number', force: true });
    const other = await invoke('probe/quick', { input: 1 });
    // Then its order fails with the reason, the follower was not run
    const order = await system.api.ended(failing.id);
    expect(order.state).toBe('failed');
    expect(statesOf(order)).toEqual([
      ['slow', 'error'],
      ['double', 'skipped'],
    ]);
    // And others are not touched
    expect((await system.api.ended(other.id)).result).toBe(2);
  });

  test('a restart in the middle does not run the first task twice', async () => {
    // Given an invocation whose first task has run for a while
    const before = await began();
    const { id } = await invoke('follower/late', { input: 1 });
    await until(async () => (await began()) > before);
    // When both orchestrators and the second task's runner are killed
    for (const name of ['orchestrator', 'orchestrator-2', 'follower-runner']) system.process(name).kill('SIGKILL');
    // Then it completes, and the first task has run once
    const order = await system.api.ended(id);
    expect([order.state, order.result]).toEqual(['completed', 4]);
    expect(order.jobs['long']?.attempt).toBe(1);
    expect(await began()).toBe(before + 1);
    // And when the task is run again, its result stands
    expect((await invoke('follower/late')).fresh.map(({ task }) => task)).toEqual(['probe/long']);
  });

  test('one graph spans the types, with owners and freshness', async () => {
    const { body } = await system.api.send<{ nodes: object[]; edges: object[] }>('GET', '/v1/tasks/graph');
    const owners = { 'follower/double': 'followers', 'probe/slow': 'features' };
    for (const [task, owner] of Object.entries(owners)) {
      expect(body.nodes).toContainEqual(
        expect.objectContaining({ task, owner, known: true, lastRun: expect.any(Object) }),
      );
    }
    expect(body.edges).toContainEqual({ from: 'probe/slow', to: 'follower/double', within: '1h', fresh: true });
    expect(body.edges).toContainEqual({ from: 'probe/quick', to: 'follower/join', fresh: false });
  });

  test('a cron of a task is a schedule that the type owns: it can be paused, not edited', async () => {
    const { body } = await system.api.send<{ items: { id: string; name: string }[] }>('GET', '/v1/schedules');
    const schedule = body.items.find(({ name }) => name === 'task-follower-double');
    expect(schedule).toMatchObject({ owner: 'follower', cron: '0 3 1 1 *', timeZone: 'Europe/Berlin' });
    expect(schedule).toMatchObject({ overlap: 'queue', missed: 'all', maxCatchUp: 3 });
    const path = `/v1/schedules/${schedule?.id}`;
    const headers = { 'if-match': '*' };
    expect((await system.api.send('DELETE', path, { headers })).status).toBe(409);
    expect((await system.api.send<{ nextAt: unknown }>('POST', `${path}/pause`)).body.nextAt).toBeNull();
    // When it is run by hand, it runs as an invocation does
    const ran = await system.api.send<{ orderId: string }>('POST', `${path}/run-now`);
    expect(Object.keys((await system.api.ended(ran.body.orderId)).jobs)).toEqual(['double']);
  });

  test('a registration that would close a circle is refused with the path', async () => {
    const { body } = await system.api.send<{ ok: boolean; errors: { message: string }[] }>(
      'POST',
      '/v1/workers/check',
      {
        body: {
          type: 'probe',
          functions: await functionsOf('probe'),
          tasks: [{ name: 'slow', upstream: [{ task: 'follower/double' }] }],
        },
      },
    );
    expect(body.ok).toBe(false);
    expect(body.errors[0]?.message).toContain('follower/double → probe/slow → follower/double');
  });

  const functionsOf = async (type: string): Promise<{ name: string; outputSchema: object }[]> =>
    (await system.api.send<{ functions: { name: string; outputSchema: object }[] }>('GET', `/v1/workers/${type}`)).body
      .functions;

  test('what a new version would break is told with its owners, before anybody registers it', async () => {
    // Given a workflow that hands a number of one team's function to another team's
    const steps = { first: { uses: 'probe/quick' }, then: { uses: 'follower/double', needs: ['first'] } };
    await system.api.send('POST', '/v1/workflows', { body: { name: 'two-teams', steps } });
    const check = async (change: object) => {
      const functions = (await functionsOf('probe')).map((fn) =>
        fn.name === 'probe.work' ? { ...fn, ...change } : fn,
      );
      const path = '/v1/workers/check';
      return (
        await system.api.send<{ ok: boolean; breaks: object[] }>('POST', path, { body: { type: 'probe', functions } })
      ).body;
    };
    // When nothing changes, nothing breaks
    expect(await check({})).toMatchObject({ ok: true, breaks: [] });
    // When its output became a text, the workflow and the declared tasks break, which the followers own
    const { ok, breaks } = await check({ outputSchema: { type: 'string' } });
    expect(ok).toBe(false);
    const head = { kind: 'output', function: 'probe.work', owner: 'followers', task: 'follower/double' };
    expect(breaks).toContainEqual(expect.objectContaining({ ...head, workflow: 'two-teams@1', step: 'then' }));
    // When its settings ask for more, every setup of it breaks
    const settings = await check({ settingsSchema: { type: 'object', required: ['more'] } });
    expect(settings.breaks).toContainEqual(
      expect.objectContaining({ kind: 'settings', task: 'probe/quick', path: '/more' }),
    );
    // When a task is declared that follows what it cannot take, that is told, and nothing of tasks that were there
    const declare = async (upstream: string) => {
      const body = { type: 'follower', functions: await functionsOf('follower') };
      const tasks = [{ name: 'fed', profile: 'double', upstream: [{ task: upstream }] }];
      return (await system.api.send<{ breaks: object[] }>('POST', '/v1/workers/check', { body: { ...body, tasks } }))
        .body;
    };
    expect(await declare('follower/join')).toMatchObject({
      breaks: [{ kind: 'input', task: 'follower/double', function: 'follower.double', owner: 'followers' }],
    });
    expect(await declare('probe/slow')).toMatchObject({ breaks: [] });
    // And where it is enforced, the detail of the type says so
    const patched = await system.api.send('PATCH', '/v1/workers/probe', { body: { compatibility: 'enforce' } });
    expect(patched.body).toMatchObject({ compatibility: 'enforce' });
  });

  test('the command line draws the graph, runs a task, and checks a version before it is deployed', async () => {
    const cli = await CommandLine.open(system.api);
    const graph = (format: string) => cli.run('tasks', 'graph', '--format', format);
    expect((await graph('tree')).out).toMatch(/probe\/slow +features[^]*\[within 1h\] follower\/double +followers/);
    expect((await graph('mermaid')).out).toMatch(/^flowchart TD\n[^]*-->\|within 1h\|/);
    expect((await graph('dot')).out).toContain('"probe/slow" -> "follower/double" [label="within 1h"];');
    expect((await cli.run('tasks')).out).toMatch(/follower\/double +probe\/slow \(within 1h\)/);
    const invoked = await cli.run('tasks', 'invoke', 'follower/double', '-i', '5', '--force', '--watch', '-o', 'json');
    expect(JSON.parse(invoked.out)).toMatchObject({ state: 'completed', result: 12 });
    expect(invoked.err).toContain('runs probe/slow, follower/double');
    // Given a registration in which an output has become a text
    const write = async (outputSchema: object): Promise<void> => {
      const functions = (await functionsOf('probe')).map((fn) =>
        fn.name === 'probe.work' ? { ...fn, outputSchema } : fn,
      );
      await cli.write('probe.json', JSON.stringify({ type: 'probe', functions }));
    };
    await write({ type: 'string' });
    const broken = await cli.run('check', 'probe.json');
    expect([broken.code, broken.out]).toEqual([1, expect.stringMatching(/would break[^]*follower\/double.*followers/)]);
    await write({ type: 'number' });
    expect(await cli.run('check', 'probe.json')).toMatchObject({ code: 0, out: expect.stringContaining('Nothing') });
    // And what runs already is asked at its address, with the key of its gateway
    const { apiUrl } = await system.store.prisma.workerType.findUniqueOrThrow({ where: { name: 'probe' } });
    const there = ['check', '--worker-url', apiUrl, '--type', 'probe'];
    expect((await cli.run(...there)).code).toBe(4);
    const dataDir = { CONNECTA_DATA_DIR: system.running.embedded.dataDir.path };
    expect((await cli.runWith(dataDir, ...there)).code).toBe(0);
    expect((await cli.run('check')).code).toBe(2);
    await cli.close();
  });
});
