import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { changeSetup, type Setup } from '../src/setups.ts';
import { TestSystem, until } from '../src/system.ts';

interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}
describe('orders of numbers through generic workers', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await TestSystem.start({
      workerTypes: ['generic', 'probe'],
      replicas: { runner: 2 },
      slots: 8,
      extra: { CONNECTA_HOLD_MS: '5000', WORKER_HEARTBEAT_MS: '1000' },
    });
  });
  afterAll(() => system.stop());

  test.each([
    [['generic/add-2', 'generic/times-2'], 14],
    [['generic/times-2', 'generic/add-2'], 12],
  ])('5 through %p is %i, and reads back as the whole trace', async (tasks, result) => {
    const order = await system.api.run({ client: 'default', input: 5, tasks });
    expect(order).toMatchObject({ state: 'completed', input: 5, tasks, result });
    const [first, second] = tasks.map((task) => order.jobs[task.slice('generic/'.length)]);
    const between = result === 14 ? 7 : 10;
    expect(first).toMatchObject({ uses: tasks[0], state: 'completed', attempt: 1, input: 5, result: between });
    expect(second).toMatchObject({ uses: tasks[1], state: 'completed', attempt: 1, input: between, result });
    for (const job of [first, second]) {
      expect(job?.instance).toEqual(expect.any(String));
      expect(Date.parse(job?.startedAt ?? '')).not.toBeNaN();
    }
  });

  test('Prefer: wait answers with the finished order', async () => {
    const { status, body } = await system.api.send('POST', '/v1/orders', {
      body: { client: 'default', input: 1, tasks: ['generic/add-2'] },
      headers: { prefer: 'wait=30' },
    });
    expect({ status, body }).toMatchObject({ status: 200, body: { state: 'completed', result: 3 } });
  });

  test('the same Idempotency-Key gives the same order; with another body it is refused', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const send = (input: number) =>
      system.api.send('POST', '/v1/orders', { body: { client: 'default', input, tasks: ['generic/add-2'] }, headers });
    const answers = await Promise.all([send(1), send(1), send(1)]);
    expect(new Set(answers.map((answer) => answer.body['id'])).size).toBe(1);
    expect(await send(2)).toMatchObject({ status: 422, body: { code: 'idempotency_mismatch' } });
  });

  test('in a batch each order has its own outcome', async () => {
    const orders = [
      { client: 'default', input: 1, tasks: ['generic/add-2'] },
      { client: 'default', input: 1, tasks: ['generic/no-such'] },
    ];
    const { status, body } = await system.api.send('POST', '/v1/orders/batch', { body: { orders } });
    expect(status).toBe(200);
    expect(body['items']).toMatchObject([{ status: 202, id: expect.any(String) }, { status: 422 }]);
  });

  test('a failed step blocks what needs it, the rest runs, and the record says why', async () => {
    const order = await system.api.run({
      client: 'default',
      input: 'not a number',
      steps: {
        bad: { uses: 'generic/add-2' },
        behind: { uses: 'generic/times-2', needs: ['bad'] },
        good: { uses: 'generic/bright' },
      },
      output: 'behind',
    });
    expect(order.state).toBe('failed');
    expect(order.jobs['bad']).toMatchObject({ state: 'error', error: { kind: 'permanent', code: 'invalid_input' } });
    expect(order.jobs['behind']).toMatchObject({ state: 'skipped', error: { code: 'blocked' } });
    expect(order.jobs['good']?.state).toBe('error');
  });

  test('a changed profile is for the next order, not for the running one', async () => {
    const body = { client: 'default', input: 1, tasks: ['probe/long', 'probe/quick'] };
    const running = await system.api.place(body);
    await until(async () => (await system.api.order(running)).jobs['long']?.state === 'started');
    await changeSetup(system.api, 'probe/long', { ms: 5, add: 100 });
    await changeSetup(system.api, 'probe/quick', { ms: 5, add: 1000 });
    const next = await system.api.run(body);
    expect(next.result).toBe(1101);
    expect((await system.api.ended(running)).result).toBe(3);
    await changeSetup(system.api, 'probe/quick', { ms: 5, add: 1 });
  });

  test('setups are read and changed while the type has no runner', async () => {
    const runners = ['generic-runner', 'generic-runner-2'].map((name) => system.process(name));
    await Promise.all(runners.map((runner) => runner.halt()));
    const created = await system.api.send<Setup>('POST', '/v1/workers/generic/profiles', {
      body: { name: 'add-40', function: 'math.add', settings: { operand: 40 } },
    });
    expect(created.status).toBe(201);
    const waiting = await system.api.place({ client: 'default', input: 2, tasks: ['generic/add-40'] });
    await Promise.all(runners.map((runner) => runner.restart()));
    expect((await system.api.ended(waiting)).result).toBe(42);
  });

  test('setups of a type whose API is down answer 503 with Retry-After, and nothing else stops', async () => {
    const api = system.process('generic-api');
    await api.halt();
    const answer = await system.api.send('GET', '/v1/workers/generic/profiles');
    expect(answer).toMatchObject({ status: 503, body: { code: 'worker_unavailable' } });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await system.api.run({ client: 'default', input: 5, tasks: ['generic/add-2'] })).result).toBe(7);
    await api.restart();
  });

  test('two instances of a worker share the work', async () => {
    // Jobs that take a while: what the first to wake up does in its first milliseconds is no share.
    const ids = await system.api.placeMany(
      Array.from({ length: 200 }, (_, input) => ({ client: 'default', input, tasks: ['probe/steady'] })),
    );
    const orders = await Promise.all(ids.map((id) => system.api.ended(id)));
    const byInstance = Map.groupBy(orders, (order) => order.jobs['steady']?.instance);
    const shares = [...byInstance.values()].map((list) => list.length).sort((a, b) => a - b);
    expect(shares).toHaveLength(2);
    expect(shares[0]).toBeGreaterThanOrEqual(50);
  });

  test('what is urgent goes in front of what waits for a worker, what can wait behind it', async () => {
    // Given workflows of a high and of a low priority over the same task
    for (const [name, priority] of [
      ['urgent', 9],
      ['whenever', 1],
    ] as const) {
      const body = { name, priority, steps: { steady: { uses: 'probe/steady' } }, output: 'steady' };
      expect((await system.api.send('POST', '/v1/workflows', { body })).status).toBe(201);
    }
    const place = (workflow: string): Promise<string> => system.api.place({ client: 'default', input: 1, workflow });
    // When one order of each comes behind two hundred others
    const others = await system.api.placeMany(
      Array.from({ length: 200 }, (_, input) => ({ client: 'default', input, tasks: ['probe/steady'] })),
    );
    const first = await place('urgent');
    const last = await place('whenever');
    // Then the urgent one overtakes most of them, and the one of a low priority comes last
    const jobIds = await Promise.all(
      [first, last, ...others].map(async (id) => (await system.api.ended(id)).jobs['steady']?.jobId ?? ''),
    );
    const began = (await system.ledger()).filter((line) => line.startsWith('begin')).map((line) => line.split(' ')[1]);
    const [firstAt, lastAt, ...othersAt] = jobIds.map((jobId) => began.indexOf(jobId));
    expect(othersAt.filter((at) => at > (firstAt ?? 0)).length).toBeGreaterThan(60);
    // What runners hold in hand already is no longer in line
    expect(othersAt.filter((at) => at > (lastAt ?? 0)).length).toBeLessThan(20);
  });

  test('of orders with one key only so many run at once, and the others say what they wait for', async () => {
    // Given a workflow of which one order a customer runs at a time
    const body = {
      ...{ name: 'in-turn', concurrency: { max: 1, key: 'input.who' }, output: 'steady' },
      steps: { steady: { uses: 'probe/steady', with: 'input.n' } },
    };
    expect((await system.api.send('POST', '/v1/workflows', { body })).status).toBe(201);
    // When three orders of one customer come, and one of another
    const orders = ['ann', 'ann', 'ann', 'bob'].map((who, n) => ({
      client: 'default',
      workflow: 'in-turn',
      input: { who, n },
    }));
    const ids = await system.api.placeMany(orders);
    // Then those behind say what holds them up
    const last = (await system.api.send('GET', `/v1/orders/${ids[2]}`)).body;
    expect(last).toMatchObject({ state: 'accepted', waitsFor: 'concurrency', why: expect.stringContaining('ann') });
    // And the one's run one after the other, the other one's beside them
    const ends = await Promise.all(ids.map((id) => system.api.ended(id)));
    expect(ends.map(({ result }) => result)).toEqual([1, 2, 3, 4]);
    const spans = ends.map(({ jobs: { steady } }) => [steady?.startedAt ?? '', steady?.finishedAt ?? ''] as const);
    const anns = spans.slice(0, 3).toSorted(([one], [other]) => one.localeCompare(other));
    for (const [at, [startedAt]] of anns.entries())
      if (at > 0) expect(startedAt >= (anns[at - 1]?.[1] ?? '')).toBe(true);
    expect((spans[3]?.[0] ?? '') < (anns[2]?.[0] ?? '')).toBe(true);
  });

  test('an instance that an operator drains finishes what it holds, and leaves', async () => {
    // Given two instances of a worker at work
    const instances = async (): Promise<
      { id: string; instance: string; state: string; slots: number; freeSlots: number }[]
    > => (await system.api.send<{ instances: never[] }>('GET', '/v1/workers/probe')).body.instances;
    const ids = await system.api.placeMany(
      Array.from({ length: 300 }, (_, input) => ({ client: 'default', input, tasks: ['probe/steady'] })),
    );
    const [one] = await until(async () => {
      const busy = (await instances()).filter(({ state, slots, freeSlots }) => state === 'ready' && freeSlots < slots);
      return busy.length > 0 && busy;
    });
    if (!one) throw new Error('nobody is at work');
    // When one of them is drained
    const drained = await system.api.send('POST', `/v1/workers/probe/instances/${one.id}/drain`);
    expect(drained).toMatchObject({ status: 202, body: { state: 'draining', freeSlots: 0 } });
    // Then it leaves, and every order completes in its first attempt
    await until(async () => (await instances()).find(({ id }) => id === one.id)?.state === 'gone');
    const orders = await Promise.all(ids.map((id) => system.api.ended(id)));
    expect(new Set(orders.map(({ state, jobs }) => `${state} ${jobs['steady']?.attempt}`))).toEqual(
      new Set(['completed 1']),
    );
    expect(orders.filter(({ jobs }) => jobs['steady']?.instance === one.instance).length).toBeGreaterThan(0);
  });

  test('cancelling is final: the running job is dropped, its result refused', async () => {
    await changeSetup(system.api, 'probe/long', { ms: 3000, add: 1 });
    const id = await system.api.place({ client: 'default', input: 1, tasks: ['probe/long'] });
    await until(async () => (await system.api.order(id)).jobs['long']?.state === 'started');
    expect((await system.api.send('POST', `/v1/orders/${id}/cancel`)).status).toBe(200);
    expect(await system.api.order(id)).toMatchObject({ state: 'cancelled', jobs: { long: { state: 'cancelled' } } });
    const again = await system.api.send('POST', `/v1/orders/${id}/cancel`);
    expect(again).toMatchObject({ status: 409, body: { code: 'already_ended' } });
    const done = async (): Promise<number> => (await system.ledger()).filter((line) => line.startsWith('done')).length;
    const before = await done();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect((await system.api.order(id)).state).toBe('cancelled');
    expect(await done()).toBe(before);
  });

  test('a job that kills its runner takes no other order of the type along', async () => {
    const poisoned = await system.api.place({ client: 'default', input: 1, tasks: ['probe/poison'] });
    const others = await Promise.all(
      Array.from({ length: 20 }, () => system.api.place({ client: 'default', input: 1, tasks: ['probe/quick'] })),
    );
    for (const id of others) expect((await system.api.ended(id)).result).toBe(2);
    const lost = await until(async () => {
      const { state, attempt } = (await system.api.order(poisoned)).jobs['poison'] ?? {};
      return state !== 'error' && attempt === 2;
    });
    expect(lost).toBe(true);
    await system.api.send('POST', `/v1/orders/${poisoned}/cancel`);
  });

  test('a client sees only its own orders', async () => {
    const client = await system.api.send<{ id: string }>('POST', '/v1/clients', { body: { name: 'lonely' } });
    expect(client.status).toBe(201);
    const key = await system.api.send<{ key: string }>('POST', '/v1/api-keys', {
      body: { name: 'lonely', role: 'client', client: 'lonely' },
    });
    const lonely = system.api.as(key.body.key);
    const foreign = await system.api.place({ client: 'default', input: 1, tasks: ['generic/add-2'] });
    expect(await lonely.send('GET', `/v1/orders/${foreign}`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect((await lonely.send('POST', `/v1/orders/${foreign}/cancel`)).status).toBe(404);
    const own = await lonely.run({ input: 1, tasks: ['generic/add-2'] });
    expect(own.result).toBe(3);
    const list = await lonely.send<Page<{ id: string }>>('GET', '/v1/orders');
    expect(list.body.items.map((order) => order.id)).toEqual([own.id]);
  });

  test('events of an order arrive once each and in order, also after a lost connection', async () => {
    const id = await system.api.place({ client: 'default', input: 1, tasks: ['generic/add-2', 'generic/times-2'] });
    await system.api.ended(id);
    const read = async (lastEventId?: string): Promise<number[]> => {
      const response = await fetch(`${system.api.url}/v1/orders/${id}/events`, {
        headers: {
          authorization: `Bearer ${system.api.key}`,
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
        signal: AbortSignal.timeout(5000),
      });
      const text = await response.text();
      return [...text.matchAll(/^id: ?(\d+)$/gm)].map((match) => Number(match[1]));
    };
    const all = await read();
    expect(all).toEqual(all.map((_, i) => i + 1));
    expect(all.length).toBeGreaterThanOrEqual(6);
    expect(await read('3')).toEqual(all.slice(3));
  });
});
