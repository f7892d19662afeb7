import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { FeApiOperations } from '@connecta/contracts';
import { Receiver } from '../chaos/scenarios/receiver.ts';
import type { TraceOrder } from '../src/api-client.ts';
import { CommandLine } from '../src/command-line.ts';
import { TestSystem, until } from '../src/system.ts';

type Stats = FeApiOperations['getStats']['responses'][200]['content']['application/json'];
type FailedJobs = FeApiOperations['listFailedJobs']['responses'][200]['content']['application/json'];
type LogPage = FeApiOperations['listJobLog']['responses'][200]['content']['application/json'];

const signatures = ({ headers }: Receiver) => headers.map((each) => each['webhook-signature']);

/** What the n-th message's signature must be: https://github.com/standard-webhooks/standard-webhooks */
function signed({ headers, bodies }: Receiver, at: number, secret: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const [id, sentAt] = ['webhook-id', 'webhook-timestamp'].map((name) => String(headers[at]?.[name]));
  return `v1,${createHmac('sha256', key).update(`${id}.${sentAt}.${bodies[at]}`).digest('base64')}`;
}

describe('timers and failures', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({
      workerTypes: ['probe'],
      slots: 2,
      extra: { CONNECTA_HOLD_MS: '1000', WORKER_HEARTBEAT_MS: '250', CONNECTA_RECONCILE_MS: '500' },
    });
  });
  afterAll(() => system.stop());

  const get = async <Body>(path: string): Promise<Body> => (await system.api.send<Body>('GET', path)).body;
  const jobOf = async (id: string) => {
    const job = await system.store.prisma.job.findFirst({ where: { orderId: id } });
    if (!job) throw new Error('no job yet');
    return job;
  };
  const startedJobOf = (id: string) =>
    until(async () => {
      const job = await jobOf(id);
      return job.state === 'started' && job;
    });
  const single = (task: string, more: object = {}): object => ({
    ...{ client: 'default', input: 1 },
    steps: { only: { uses: task, ...more } },
  });

  test('a step says how long it may take and how often it is tried', async () => {
    // Given a step whose task takes ten minutes, with a complete time of half a second and one retry
    const retry = { max: 1, backoff: 'fixed', delay: '100ms', jitter: false };
    const order = await system.api.run(single('probe/stuck', { timeouts: { complete: '500ms' }, retry }));
    // Then the order fails after two attempts, because each took too long
    expect(order.state).toBe('failed');
    expect(await jobOf(order.id)).toMatchObject({ attempt: 2, failed: 2, error: { code: 'complete_timeout' } });
  });

  test('a function says it for all steps that use it, and a step may say otherwise', async () => {
    // Given a function that may take 400 ms and is not to be tried again
    const first = await system.api.run({ client: 'default', input: 1, tasks: ['probe/impatient'] });
    expect(await jobOf(first.id)).toMatchObject({ attempt: 1, error: { code: 'complete_timeout' } });
    // When a step allows one more try
    const second = await system.api.run(single('probe/impatient', { retry: { max: 1, delay: '50ms' } }));
    // Then it is tried once more, and still may take 400 ms
    expect(await jobOf(second.id)).toMatchObject({ attempt: 2, error: { code: 'complete_timeout' } });
  });

  test('a duration that is none is refused with its place', async () => {
    const answer = await system.api.send('POST', '/v1/orders', {
      body: single('probe/quick', { timeouts: { ack: 'soon' } }),
    });
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).toContain('/steps/only/timeouts/ack');
  });

  test('cancelling reaches the running function: its slot is free at once', async () => {
    // Given two orders that hold both slots for ten minutes
    const ids = await system.api.placeMany([single('probe/stuck'), single('probe/stuck')]);
    await Promise.all(ids.map(startedJobOf));
    // When they are cancelled
    for (const id of ids) await system.api.send('POST', `/v1/orders/${id}/cancel`);
    // Then another order runs
    const order = await system.api.run(single('probe/quick'), 15_000);
    expect(order.state).toBe('completed');
    const ledger = await system.ledger();
    for (const id of ids) {
      const { id: jobId } = await jobOf(id);
      expect(ledger).toContainEqual(expect.stringContaining(`begin ${jobId} 1 `));
      expect(ledger).not.toContainEqual(expect.stringContaining(`done ${jobId} 1 `));
    }
  });

  test('a result that breaks its schema names the function, the team and the version that made it', async () => {
    const order = await system.api.run({ client: 'default', input: 'text', tasks: ['probe/liar', 'probe/quick'] });
    expect(order.state).toBe('failed');
    const [liar] = (await get<{ items: { error: unknown }[] }>(`/v1/orders/${order.id}/jobs`)).items;
    expect(liar?.error).toEqual({
      ...{ kind: 'permanent', code: 'invalid_output' },
      message:
        'the result of probe.liar 3.2.1 (worker type probe, team features) breaks its outputSchema: / must be number',
    });
  });

  test('what a function logs can be followed while it runs and read afterwards, without its secrets', async () => {
    // Given a function that logs twenty lines in two seconds
    const id = await system.api.place(single('probe/talker'));
    const { id: jobId } = await startedJobOf(id);
    const path = `/v1/orders/${id}/jobs/${jobId}/logs`;
    // When somebody follows its log
    const response = await fetch(`${system.api.url}${path}`, {
      headers: { authorization: `Bearer ${system.running.adminKey}`, accept: 'text/event-stream' },
    });
    // Then the first lines come while the job runs
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!text.includes('line 1,')) text += Buffer.from((await reader.read()).value ?? []).toString();
    expect((await jobOf(id)).state).toBe('started');
    await reader.cancel();
    await system.api.ended(id);
    // And all of them are there afterwards, the password in none
    const page = await until(async () => {
      const read = await get<LogPage>(`${path}?attempt=1`);
      return read.items.length === 20 && read;
    });
    expect(page.items.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(page.items[4]).toMatchObject({ level: 'info', message: 'line 5, logged in with [redacted]' });
    expect(JSON.stringify(page) + text).not.toContain('correct-horse');
  });

  test('logs are followed by the command line, and read by step and attempt', async () => {
    const cli = await CommandLine.open(system.api);
    // Given an order with two functions, of which one logs
    const steps = { say: { uses: 'probe/talker' }, quiet: { uses: 'probe/quick' } };
    const id = await system.api.place({ client: 'default', input: 1, steps });
    await until(async () => (await system.api.order(id)).jobs['say']?.state === 'started');
    // When its log is followed while it runs, then each line comes, and the command ends with the jobs
    const followed = await cli.run('logs', id, '--follow', '-o', 'json');
    const lines = followed.out.trim().split('\n');
    expect([followed.code, lines.length]).toEqual([0, 20]);
    expect(JSON.parse(lines[19] ?? '')).toMatchObject({ step: 'say', attempt: 1, number: 20, level: 'info' });
    expect((await system.api.order(id)).jobs['say']?.state).toBe('completed');
    // And afterwards they are there for people, for scripts, by step, and by attempt
    const { out } = await cli.run('logs', '@latest', '--step', 'say');
    expect(out).toMatch(/line 1, logged in with \[redacted\][^]*line 20,/);
    expect((await cli.json<object[]>('logs', id, '--step', 'say', '--attempt', '1')).length).toBe(20);
    expect(await cli.json('logs', id, '--attempt', '2')).toEqual([]);
    expect((await cli.run('logs', id, '--step', 'quiet')).out).toBe('Nothing was logged.\n');
    expect((await cli.run('logs', id, '--step', 'none')).code).toBe(5);
    await cli.close();
  });

  test('a job that takes its workers with it is set aside, is listed, and can be released', async () => {
    // Given an order whose function ends its runner, every time
    const id = await system.api.place(single('probe/poison'));
    // When three runners were lost with it
    const order = await system.api.ended(id, 90_000);
    // Then it is set aside
    expect(order.state).toBe('failed');
    expect(await jobOf(id)).toMatchObject({ crashed: 3, error: { kind: 'permanent', code: 'poison' } });
    // And other orders go on
    expect((await system.api.run(single('probe/quick'), 30_000)).state).toBe('completed');
    // And it is listed
    const { items } = await get<FailedJobs>('/v1/jobs?state=error&code=poison');
    expect(items).toEqual([expect.objectContaining({ orderId: id, step: 'only', workerType: 'probe', crashed: 3 })]);
    // And a retry releases it
    expect((await system.api.send('POST', `/v1/orders/${id}/retry`)).status).toBe(202);
    await until(async () => (await jobOf(id)).attempt > 3);
    expect((await get<FailedJobs>('/v1/jobs?code=poison')).items).toEqual([]);
    await system.api.send('POST', `/v1/orders/${id}/cancel`);
  });

  test('the team whose task failed and the client are told, each by signed webhooks; the same news is told once', async () => {
    // Given a channel of the team that owns the task, and an order that names where its end is told
    const [team, client] = await Promise.all([Receiver.start(() => 204), Receiver.start(() => 204)]);
    try {
      const body = { team: 'features', kind: 'webhook', target: team.url };
      const channel = await system.api.send<{ id: string }>('POST', '/v1/notification-channels', { body });
      expect(channel.status).toBe(201);
      const order = { client: 'default', input: 1, tasks: ['probe/refuse'], webhook: client.url };
      // When it fails, and another one for the same reason
      const { id } = await system.api.run(order);
      await until(() => Promise.resolve(team.bodies.length > 0));
      await system.api.run(order);
      await until(() => Promise.resolve(client.bodies.length === 2));
      // Then the client is told of both ends
      const ends = client.bodies.map((text) => JSON.parse(text) as object);
      expect(ends).toContainEqual(
        expect.objectContaining({
          type: 'order.failed',
          data: expect.objectContaining({ orderId: id, state: 'failed' }),
        }),
      );
      const { secret: ofClient } = await get<{ secret: string }>('/v1/clients/default/webhook-secret');
      expect(signatures(client)).toEqual(client.bodies.map((_text, at) => signed(client, at, ofClient)));
      // And the team once: the repeat is counted
      const { secret: ofTeam } = await get<{ secret: string }>(`/v1/notification-channels/${channel.body.id}/secret`);
      expect(signatures(team)).toEqual([signed(team, 0, ofTeam)]);
      expect(JSON.parse(team.bodies[0] ?? '')).toMatchObject({ type: 'notice.job_failed' });
      interface Notice {
        kind: string;
        count: number;
        subject: object;
      }
      const [repeated] = await until(async () => {
        const { items } = await get<{ items: Notice[] }>('/v1/notices?team=features');
        const counted = items.filter(({ kind, count }) => kind === 'job_failed' && count === 2);
        return counted.length > 0 && counted;
      });
      expect(repeated?.subject).toMatchObject({ task: 'probe/refuse', error: { code: 'refused' } });
      expect(team.bodies).toHaveLength(1);
      // And what became of the messages is on record
      const deliveries = await get<{ items: object[] }>(`/v1/deliveries?order=${id}`);
      expect(deliveries.items).toMatchObject([{ state: 'delivered', attempts: 1 }]);
    } finally {
      team.close();
      client.close();
    }
  });

  test('while no worker lives, figures say since when, and a step may give up early', async () => {
    // Given a type whose runner is down
    await system.process('probe-runner').halt();
    await until(async () => (await get<Stats>('/v1/stats')).workers[0]?.offline);
    const { workers } = await get<Stats>('/v1/stats');
    expect(workers[0]).toMatchObject({
      ...{ type: 'probe', owner: { team: 'features', contact: 'features@example.test' } },
      offline: { since: expect.any(String), policy: 'wait', limitMs: 86_400_000 },
    });
    // When one order waits for half a second at most, and another as long as it takes
    const waiting = await system.api.place(single('probe/quick'));
    // Then the trace of the latter says why nothing happens, and how long that may go on
    const held = { waitsFor: 'runner', why: expect.stringContaining('no runner of the type probe is up') };
    await until(async () => (await get<TraceOrder>(`/v1/orders/${waiting}`)).jobs['only']?.state === 'invoked');
    expect((await get<TraceOrder>(`/v1/orders/${waiting}`)).jobs['only']).toMatchObject({
      ...held,
      until: expect.any(String),
    });
    const order = await system.api.run(single('probe/quick', { offline: { policy: 'fail', limit: '500ms' } }));
    // And the first fails, and the other runs when the runner is back
    expect(await jobOf(order.id)).toMatchObject({ state: 'error', error: { code: 'ack_timeout' } });
    await system.process('probe-runner').restart();
    expect((await system.api.ended(waiting)).state).toBe('completed');
  });
});
