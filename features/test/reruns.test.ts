import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '@connecta/contracts';
import { CommandLine } from '../src/command-line.ts';
import { changeSetup, setupOf } from '../src/setups.ts';
import { TestSystem, until } from '../src/system.ts';

interface Trace {
  id: string;
  state: string;
  result?: unknown;
  epoch: number;
  rerunOf?: string;
  reruns?: string[];
  jobs: Record<string, { state: string; attempt: number; jobId: string; result?: unknown; reusedFrom?: object }>;
}

describe('orders that run again', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await TestSystem.start({ workerTypes: ['generic', 'probe'], replicas: { orchestrator: 2 } });
  });
  afterAll(() => system.stop());

  const send = (method: string, path: string, body?: unknown) => system.api.send(method, path, { body });
  const trace = async (id: unknown): Promise<Trace> => (await system.api.ended(String(id))) as unknown as Trace;
  const make = async (name: string, operand: number): Promise<void> => {
    const body = { name, function: 'math.add', settings: { operand } };
    // The type's own API may still be starting.
    await until(async () => (await send('POST', '/v1/workers/generic/profiles', body)).status === 201);
  };
  const change = (name: string, settings: Record<string, unknown>): Promise<void> =>
    changeSetup(system.api, `generic/${name}`, settings);

  test('after a setup was changed only what depends on it runs', async () => {
    // Given an order of three tasks that has completed, and a change of the second one's setup
    for (const [name, operand] of [
      ['first', 1],
      ['second', 10],
      ['third', 100],
    ] as const)
      await make(name, operand);
    const tasks = ['generic/first', 'generic/second', 'generic/third'];
    const origin = await trace((await system.api.run({ input: 5, tasks })).id);
    expect(origin.result).toBe(116);
    await change('second', { operand: 20 });

    // When somebody asks what a re-run would do
    const plan = await send('POST', `/v1/orders/${origin.id}/rerun`, { dryRun: true });

    // Then it says step by step what would be kept, what not, and because of what
    expect(plan).toMatchObject({
      status: 200,
      body: {
        rerunOf: origin.id,
        steps: {
          first: { decision: 'reuse', because: [], reusedFrom: { orderId: origin.id } },
          second: { decision: 'recompute', because: [{ what: 'profile', from: '1', to: '2' }] },
          third: { decision: 'unknown', because: [{ what: 'upstream', steps: ['second'] }] },
        },
      },
    });

    // When it is run again
    const accepted = await send('POST', `/v1/orders/${origin.id}/rerun`);
    const again = await trace(accepted.body['id']);

    // Then the first step was not run, the others were, and both orders name each other
    expect(accepted).toMatchObject({ status: 202, body: { rerunOf: origin.id } });
    expect(again).toMatchObject({ state: 'completed', result: 126, rerunOf: origin.id });
    expect(again.jobs['first']).toMatchObject({
      ...{ state: 'completed', attempt: 0, result: 6 },
      reusedFrom: { orderId: origin.id, jobId: origin.jobs['first']?.jobId },
    });
    expect(again.jobs['second']).toMatchObject({ attempt: 1, result: 26 });
    expect((await trace(origin.id)).reruns).toEqual([again.id]);
  });

  test('the orders that used one revision of a setup are listed, with the steps that did', async () => {
    // Given orders before and after a change of a setup
    await make('counted', 1);
    const before = await system.api.run({ input: 1, tasks: ['generic/counted'] });
    await change('counted', { operand: 2 });
    await system.api.run({ input: 1, tasks: ['generic/counted'] });

    // When somebody asks for those of the first revision
    const { status, body } = await send('GET', '/v1/orders?profile=generic/counted&revision=1');

    // Then there is the one
    expect(status).toBe(200);
    expect(body['items']).toMatchObject([{ id: before.id, usedBy: [{ step: 'counted', revision: 1, jobs: 1 }] }]);
    expect((body['items'] as unknown[]).length).toBe(1);
    expect((await send('GET', '/v1/orders?revision=1')).status).toBe(400);
  });

  test('from a step on everything runs, whatever is unchanged', async () => {
    // Given an order of two tasks
    const origin = await system.api.run({ input: 2, tasks: ['generic/add-2', 'generic/times-2'] });
    // When it is run again from the second one on
    const { body } = await send('POST', `/v1/orders/${origin.id}/rerun`, { from: 'times-2' });
    const again = await trace(body['id']);
    // Then the first one is kept, the second one is not
    expect([again.jobs['add-2']?.attempt, again.jobs['times-2']?.attempt]).toEqual([0, 1]);
    // And a step that there is none of is a fault of the request
    expect(await send('POST', `/v1/orders/${origin.id}/rerun`, { from: 'nowhere' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/from' }] },
    });
  });

  test('a failed order is tried again: what completed stays', async () => {
    // Given an order whose second step failed for what its setup said
    await make('too-little', 1);
    const steps = { good: { uses: 'generic/add-2' }, bad: { uses: 'probe/refuse', needs: ['good'] } };
    const failed = await trace((await system.api.run({ input: 1, steps, output: 'bad' })).id);
    expect(failed).toMatchObject({ state: 'failed', epoch: 1 });

    // When it is tried again, twice at once
    const answers = await Promise.all([1, 2].map(() => send('POST', `/v1/orders/${failed.id}/retry`)));

    // Then one is accepted, the other one told that it is under way (or has failed once more by then)
    expect(answers.map(({ status }) => status)).toContain(202);
    const again = await until(async () => {
      const order = await trace(failed.id);
      return order.epoch > 1 && order.state === 'failed' && order;
    });
    expect(again.jobs['good']).toMatchObject({ attempt: 1, jobId: failed.jobs['good']?.jobId });
    expect(again.jobs['bad']?.attempt).toBeGreaterThan(1);
    // And an order that has not failed is none to try again
    const fine = await system.api.run({ input: 1, tasks: ['generic/add-2'] });
    expect(await send('POST', `/v1/orders/${fine.id}/retry`)).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
  });

  test('the command line retries an order, and tells what a run from a step on would keep', async () => {
    const cli = await CommandLine.open(system.api);
    // Given an order whose second step fails at its first attempt
    const steps = 'steps:\n  good: { uses: generic/add-2 }\n  bad: { uses: probe/relent, needs: [good] }\n';
    await cli.write('unsteady.yaml', steps);
    await cli.json('workflows', 'apply', '-f', 'unsteady.yaml');
    const { code, out } = await cli.run('run', 'unsteady', '-i', '1', '--watch', '-o', 'json');
    const { id } = JSON.parse(out) as { id: string };
    expect(code).toBe(1);
    // When it is tried again, then it completes
    const retried = await cli.json('orders', 'retry', id, '--watch');
    expect(retried).toMatchObject({ state: 'completed', result: 1, epoch: 2 });
    expect((await cli.run('orders', 'retry', id)).code).toBe(6);
    // And a dry run places nothing
    const dry = ['orders', 'rerun', id, '--dry-run', '--from'];
    expect(await cli.json(...dry, 'bad')).toMatchObject({
      steps: { good: { decision: 'reuse' }, bad: { decision: 'recompute' } },
    });
    expect((await cli.run(...dry, 'good')).out).toMatch(/good +runs [^]*bad +(runs|shows later) /);
    expect((await cli.run(...dry, 'nowhere')).code).toBe(7);
    expect(await cli.json('orders', 'get', '@latest')).toMatchObject({ id });
    expect(await cli.json('orders', 'rerun', id, '--from', 'bad')).toMatchObject({ rerunOf: id });
    await cli.close();
  });

  test('the result cache is asked for by an order, and says why it was of no use', async () => {
    // Given a step that says it may take results of ten minutes
    const steps = (ttl: string) => ({ only: { uses: 'generic/add-2', cache: { ttl } } });
    const first = await trace((await system.api.run({ input: 41_000, steps: steps('10m'), output: 'only' })).id);

    // When the same is ordered again
    const second = await trace((await system.api.run({ input: 41_000, steps: steps('10m'), output: 'only' })).id);

    // Then nothing ran, and the trace and the cache say so
    expect(second.jobs['only']).toMatchObject({ attempt: 0, cachedFrom: { orderId: first.id } });
    const why = (order: Trace) => send('GET', `/v1/orders/${order.id}/jobs/${order.jobs['only']?.jobId}/cache`);
    expect((await why(second)).body).toMatchObject({ cached: true, reason: 'hit' });
    // And of another input it says what differs
    const third = await trace((await system.api.run({ input: 41_001, steps: steps('10m'), output: 'only' })).id);
    expect((await why(third)).body).toMatchObject({
      cached: false,
      reason: 'different',
      difference: { what: 'input' },
    });
    // And who asks what a re-run with the first input would do is told of the kept result as well
    const asked = await send('POST', `/v1/orders/${third.id}/rerun`, { input: 41_000, dryRun: true });
    expect(asked.body).toMatchObject({
      steps: { only: { decision: 'cached', because: [{ what: 'input' }], cachedFrom: { orderId: first.id } } },
    });
    // And a step of another name is told that the result is too old for it
    const { only } = steps('1ms');
    const old = await trace((await system.api.run({ input: 41_000, steps: { other: only }, output: 'other' })).id);
    const answer = await send('GET', `/v1/orders/${old.id}/jobs/${old.jobs['other']?.jobId}/cache`);
    expect(answer.body).toMatchObject({ reason: 'expired', nearest: { orderId: first.id } });
    const off = { input: 41_000, steps: steps('10m'), output: 'only', cache: false };
    expect((await why(await trace((await system.api.run(off)).id))).body).toMatchObject({ reason: 'cache_off' });
  });

  test('the cache itself is asked, however many orders ago the equal result was kept', async () => {
    // Given a kept result, more orders since than are looked through, and no runner
    const steps = (ttl: string) => ({ only: { uses: 'generic/add-2', cache: { ttl } } });
    const first = await system.api.run({ input: 43_000, steps: steps('10m') });
    await system.store.pool.query(
      `INSERT INTO orders (id, client_id, plan_id, input, created_by, traceparent, state, finished_at)
       SELECT x.id::uuid, client_id, plan_id, input, 'test', traceparent, state, finished_at
       FROM orders, json_array_elements_text($2::json) x(id) WHERE orders.id = $1`,
      [first.id, JSON.stringify(Array.from({ length: 200 }, () => newId()))],
    );
    await system.process('generic-runner').halt();
    // When the result is too old for a step that still waits
    const id = await system.api.place({ input: 43_000, steps: steps('1ms') });
    const job = await until(() => system.store.prisma.job.findFirst({ where: { orderId: id } }));
    // Then the cache says so
    const { body } = await send('GET', `/v1/orders/${id}/jobs/${job.id}/cache`);
    expect(body).toMatchObject({ reason: 'expired', nearest: { orderId: first.id } });
    await system.process('generic-runner').restart();
    expect((await trace(id)).result).toBe(43_002);
  });

  test('a context that a function leaves goes on with the order, is read by its client, and begins another', async () => {
    // Given an order of which the first function leaves a context behind
    const order = await system.api.run({ client: 'default', input: 1, tasks: ['probe/keeping', 'probe/quick'] });
    const { context } = order.jobs['keeping'] as { context?: { blobId: string } };
    expect(context).toMatchObject({ mediaType: 'text/plain', size: 1 });
    // Then the next step was given it, and passes it on
    expect(order.jobs['quick']).toMatchObject({ context });
    // And the client reads it back
    expect((await system.api.send('GET', `/v1/blobs/${context?.blobId}`)).body).toBe('2');
    // When another order names it, then its first step gets it
    const contextId = context?.blobId;
    const another = await system.api.run({ client: 'default', input: 1, tasks: ['probe/quick'], contextId });
    expect(another.jobs['quick']).toMatchObject({ context: { blobId: contextId } });
  });

  test('what is still referred to cannot be deleted, and the answer says by what', async () => {
    // Given a setup that a saved workflow uses
    await make('needed', 1);
    const workflow = { name: 'needs-it', steps: { a: { uses: 'generic/needed' } } };
    expect((await send('POST', '/v1/workflows', workflow)).status).toBe(201);
    const profile = await setupOf(system.api, 'generic/needed');
    const remove = () =>
      system.api.send('DELETE', `/v1/workers/generic/profiles/${profile.id}`, { headers: { 'if-match': '"1"' } });

    // When somebody deletes it
    // Then it stays, until the workflow is gone
    expect(await remove()).toMatchObject({ status: 409, body: { code: 'in_use' } });
    expect(String((await remove()).body['detail'])).toContain('needs-it');
    await system.api.send('DELETE', '/v1/workflows/needs-it', { headers: { 'if-match': '"1"' } });
    expect((await remove()).status).toBe(204);
  });
});
