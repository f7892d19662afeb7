import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type WorkerInstanceId } from '@connecta/contracts';
import { openFeWorld, type FeWorld } from './fe-world.ts';

let world: FeWorld;
beforeAll(async () => {
  world = await openFeWorld('fe_setups');
}, 60_000);
afterAll(() => world.close());

const profiles = '/v1/workers/math/profiles';
const body = (name: string, value: unknown = 2, more: object = {}) => ({
  name,
  function: 'math.add',
  settings: { value, ...more },
});

describe('profiles', () => {
  test('are written at the worker type, and the next order is pinned to what was written', async () => {
    const created = await world.send('post', profiles).send(body('fresh', 2, { secret: 's' }));
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({ etag: '"1"', location: `${profiles}/${created.body.id}` });
    expect(created.body.settings).toEqual({ value: 2, secret: '__kept__' });
    const order = await world.send('post', '/v1/orders').send({ tasks: ['math/fresh'], input: 1 });
    expect(order.status).toBe(202);
    const path = created.headers['location'] as string;
    const changed = await world.send('put', path).set('if-match', '"1"').send(body('fresh', 3));
    expect([changed.status, changed.headers['etag'], changed.body.revision]).toEqual([200, '"2"', 2]);
    const second = await world.send('post', '/v1/orders').send({ tasks: ['math/fresh'], input: 2 });
    const plans = await world.store.prisma.planProfile.findMany({ where: { profileId: created.body.id } });
    expect(plans.map((plan) => plan.profileRevision).sort()).toEqual([1, 2]);
    expect((await world.send('get', path)).body).toEqual(changed.body);
    const revisions = await world.send('get', `${path}/revisions`);
    expect(revisions.body.items.map((item: { revision: number }) => item.revision)).toEqual([2, 1]);
    expect((await world.send('get', `${path}/revisions/1`)).body.settings.value).toBe(2);

    const unmatched = await world.send('put', path).set('if-match', '"1"').send(body('fresh', 4));
    expect([unmatched.status, unmatched.body.code]).toEqual([412, 'precondition_failed']);
    expect((await world.send('put', path).send(body('fresh', 4))).status).toBe(428);
    const inUse = await world.send('delete', path).set('if-match', '"2"');
    expect([inUse.status, inUse.body.code]).toEqual([409, 'in_use']);
    for (const { body } of [order, second]) await world.send('post', `/v1/orders/${body.id}/cancel`);
    expect((await world.send('delete', path).set('if-match', '"2"')).status).toBe(204);
    const gone = await world.send('post', '/v1/orders').send({ tasks: ['math/fresh'], input: 1 });
    expect(gone.body.code).toBe('unknown_task');
  });

  test('of a renamed task are found under the new name alone', async () => {
    const { body: created } = await world.send('post', profiles).send(body('old-name'));
    await world.send('put', `${profiles}/${created.id}`).set('if-match', '"1"').send(body('new-name'));
    expect((await world.send('post', '/v1/orders').send({ tasks: ['math/new-name'] })).status).toBe(202);
    expect((await world.send('post', '/v1/orders').send({ tasks: ['math/old-name'] })).body.code).toBe('unknown_task');
  });

  test('stay while declared tasks, aliases, schedules or workflows lead to them, who are named', async () => {
    const { prisma } = world.store;
    const { body: created } = await world.send('post', profiles).send(body('wanted'));
    const refused = async (): Promise<string> => {
      const answer = await world.send('delete', `${profiles}/${created.id}`).set('if-match', '"1"');
      expect([answer.status, answer.body.code]).toEqual([409, 'in_use']);
      return answer.body.detail;
    };
    const runs = { workerType: 'probe', name: 'first', upstream: [] };
    const alias = { workerType: 'old', id: newId(), name: 'wanted', function: '', revision: 1, aliasOf: 'math/wanted' };
    await prisma.workerTask.create({ data: { ...runs, workerType: 'math', profile: 'wanted' } });
    expect(await refused()).toContain('declared tasks (math/first)');
    // What follows a declared task follows the profile that it runs.
    await prisma.workerTask.create({ data: { ...runs, upstream: [{ task: 'math/wanted' }] } });
    await prisma.workerTask.create({ data: { ...runs, name: 'second', upstream: [{ task: 'math/first' }] } });
    expect(await refused()).toContain('declared tasks (math/first, probe/first, probe/second)');
    await prisma.workerTask.deleteMany();
    await prisma.profile.create({ data: alias });
    expect(await refused()).toContain('aliases (old/wanted)');
    await prisma.profile.deleteMany({ where: { id: alias.id } });
    const pick = { params: { pick: { default: ['math/wanted'] } }, steps: { a: { workflow: { param: 'pick' } } } };
    await world.send('post', '/v1/workflows').send({ name: 'picks', ...pick });
    const order = { workflow: 'picks', params: { pick: { steps: { a: { uses: 'math/wanted' } } } } };
    const schedule = { name: 'picked', every: '1d', order };
    const { body: kept } = await world.send('post', '/v1/schedules').send(schedule);
    expect(await refused()).toContain('workflows (picks)');
    await prisma.workflow.deleteMany();
    expect(await refused()).toContain('schedules (picked)');
    await world.send('delete', `/v1/schedules/${kept.id}`).set('if-match', '"1"');
    expect((await world.send('delete', `${profiles}/${created.id}`).set('if-match', '"1"')).status).toBe(204);
  });

  test('that are wrong are refused in the words of the worker type', async () => {
    const wrong = await world.send('post', profiles).send(body('wrong', 'two'));
    expect([wrong.status, wrong.body.code]).toEqual([422, 'invalid_settings']);
    expect(wrong.body.errors).toHaveLength(1);
    const unknown = await world.send('post', profiles).send({ ...body('wrong'), function: 'math.none' });
    expect(unknown.body.code).toBe('unknown_function');
    await world.send('post', profiles).send(body('taken'));
    expect((await world.send('post', profiles).send(body('taken', 9))).body.code).toBe('name_taken');
    expect((await world.send('get', `${profiles}/0192f0c1-7a11-7c22-8d33-9e44af55b066`)).status).toBe(404);
    expect((await world.send('get', '/v1/workers/none/profiles')).body.code).toBe('not_found');
  });

  test('are listed, and functions with them', async () => {
    expect((await world.as('viewer')('get', `${profiles}?limit=1`)).body.items).toHaveLength(1);
    const functions = await world.send('get', '/v1/workers/math/functions');
    expect(functions.body.items).toMatchObject([{ name: 'math.add', misfits: [] }]);
  });

  test('are for those who may', async () => {
    expect((await world.as('viewer')('post', profiles).send(body('x'))).status).toBe(403);
    expect((await world.as('client')('get', profiles)).status).toBe(403);
  });
});

describe('worker types', () => {
  test('are shown with what is live of them', async () => {
    const list = await world.as('viewer')('get', '/v1/workers');
    expect(list.body.items).toMatchObject([{ type: 'math', slots: 0, instances: { ready: 0, draining: 0 } }]);
    const one = await world.send('get', '/v1/workers/math');
    expect(one.body.tasks.map(({ task }: { task: string }) => task)).toContain('math/one');
    expect(one.body.instances).toMatchObject([{ instance: 'math-api', state: 'ready' }]);
    expect((await world.send('get', '/v1/workers/none')).status).toBe(404);
  });

  test('are checked for all that their registration would be refused for', async () => {
    const tasks = [
      { name: 'daily', overlap: 'skip', timeZone: 'UTC' },
      { name: 'daily', cron: '0 3 * * *', upstream: [{ task: 'math/one', within: '9999d' }] },
      { name: 'hourly', cron: '0 99 * * *' },
    ];
    const { body } = await world.send('post', '/v1/workers/check').send({ type: 'new', functions: [], tasks });
    expect(body.ok).toBe(false);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual([
      '/tasks/0/timeZone',
      '/tasks/0/overlap',
      '/tasks/1/name',
      '/tasks/1/upstream/0/within',
      '/tasks/2/cron',
    ]);
  });

  test('have instances that an operator drains: at once in what is shown, twice as once', async () => {
    const id = newId<WorkerInstanceId>();
    await world.store.prisma.workerInstance.create({
      data: {
        ...{ id, workerType: 'math', instance: 'math-runner', version: '1', language: 'x', slots: 2, freeSlots: 2 },
        ...{ state: 'ready', heartbeatMs: 5000 },
      },
    });
    const drain = `/v1/workers/math/instances/${id}/drain`;
    expect((await world.as('viewer')('post', drain)).status).toBe(403);
    for (let round = 0; round < 2; round++) {
      const answer = await world.send('post', drain);
      expect(answer.status).toBe(202);
      expect(answer.body).toMatchObject({ id, instance: 'math-runner', state: 'draining', freeSlots: 0 });
    }
    const list = await world.send('get', '/v1/workers');
    expect(list.body.items).toMatchObject([{ type: 'math', instances: { draining: 1 } }]);
    await world.store.prisma.workerInstance.update({ where: { id }, data: { state: 'gone', endedAt: new Date() } });
    expect((await world.send('post', drain)).body).toMatchObject({ state: 'gone' });
    const { id: api } = await world.store.prisma.workerInstance.findFirstOrThrow({ where: { instance: 'math-api' } });
    const refused = await world.send('post', `/v1/workers/math/instances/${api}/drain`);
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict']);
    expect((await world.send('get', '/v1/workers/math')).body.instances).toMatchObject([
      { instance: 'math-api', state: 'ready' },
      { instance: 'math-runner', state: 'gone' },
    ]);
    expect((await world.send('post', `/v1/workers/math/instances/${newId()}/drain`)).status).toBe(404);
    expect((await world.send('post', '/v1/workers/math/instances/nobody/drain')).status).toBe(400);
  });
});

describe('stats', () => {
  test('count what orders under way still need, and where they wait', async () => {
    const ids = await Promise.all(
      [1, 2, 3].map(async (input) => {
        const { body: placed } = await world
          .send('post', '/v1/orders')
          .send({ tasks: ['math/one', 'math/three'], input });
        return placed.id;
      }),
    );
    await world.begin(ids[0]);
    const { status, body: stats } = await world.as('viewer')('get', '/v1/stats');
    expect(status).toBe(200);
    expect(stats.orders.active).toBe(1);
    const task = (name: string) => stats.tasks.find((one: { task: string }) => one.task === name);
    expect(task('math/three')).toMatchObject({ toDo: 3, jobs: {}, oldestMs: null });
    expect(task('math/one')).toMatchObject({ toDo: 3, jobs: { queued: 1 } });
    expect(task('math/one').oldestMs).toBeGreaterThanOrEqual(1000);
    expect(stats.queueAgeMs).toBe(task('math/one').oldestMs);
    expect(stats.workers).toMatchObject([{ type: 'math', ready: 0, waiting: 1 }]);
    expect(stats.bottlenecks).toEqual([
      { task: 'math/one', workerType: 'math', waiting: 1, slots: 0, waitingPerSlot: null },
    ]);
  });
});

describe('a worker type whose API is away', () => {
  test('answers 503 for its setups, and orders go on', async () => {
    await world.stopWorkerApi();
    const answer = await world.send('get', profiles);
    expect([answer.status, answer.body.code]).toEqual([503, 'worker_unavailable']);
    expect(answer.headers['retry-after']).toBeDefined();
    expect((await world.send('post', '/v1/orders').send({ tasks: ['math/one'] })).status).toBe(202);
  });

  test('at an address that is not allowed is never called', async () => {
    const call = async (apiUrl: string): Promise<[number, string]> => {
      await world.store.prisma.workerType.update({ where: { name: 'math' }, data: { apiUrl } });
      const answer = await world.send('get', profiles);
      return [answer.status, answer.body.code];
    };
    expect(await call('http://169.254.169.254/')).toEqual([503, 'worker_unavailable']);
    expect(await call('http://evil.example/')).toEqual([503, 'worker_unavailable']);
    expect(await call('')).toEqual([503, 'worker_unavailable']);
  });

  test('that answers something else is told as what it is', async () => {
    // fe-api itself is somebody who answers, and no worker type.
    await world.store.prisma.workerType.update({ where: { name: 'math' }, data: { apiUrl: world.url } });
    const answer = await world.send('get', profiles);
    expect([answer.status, answer.body.code]).toEqual([502, 'worker_misbehaved']);
  });
});
