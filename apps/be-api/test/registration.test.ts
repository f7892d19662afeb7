import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId } from '@connecta/contracts';
import { setCompatibilityMode } from '@connecta/store';
import request from 'supertest';
import { Harness, apiRegistration, faultPaths, registration } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

describe('registration', () => {
  test('a runner learns its queue, with credentials of its own', async () => {
    const answer = await harness.register(registration('painter', { labels: { zone: 'a' } }));
    expect(answer).toMatchObject({
      heartbeatMs: 5_000,
      queue: { backend: harness.queue.kind, name: 'painter' },
      aliases: [],
    });
    expect(answer.queue?.url).toContain('painter');
    const row = await harness.store.prisma.workerInstance.findUniqueOrThrow({ where: { id: answer.workerId } });
    expect(row).toMatchObject({ workerType: 'painter', slots: 4, freeSlots: 4, state: 'ready', labels: { zone: 'a' } });
  });

  test('the API of a type says what the type is; a runner only as long as it has not', async () => {
    await harness.register(registration('packer', { version: '1' }), 'packer');
    const typeOf = () => harness.store.prisma.workerType.findUniqueOrThrow({ where: { name: 'packer' } });
    expect(await typeOf()).toMatchObject({ version: '1', apiUrl: '' });
    await harness.register(apiRegistration('packer', { version: '2' }), 'packer');
    await harness.register(registration('packer', { version: '1', functions: [] }), 'packer');
    expect(await typeOf()).toMatchObject({ version: '2', apiUrl: 'http://127.0.0.1:4711' });
    expect((await typeOf()).functions).toHaveLength(1);
    await harness.register(apiRegistration('packer', { version: '3' }), 'packer');
    expect(await typeOf()).toMatchObject({ version: '3' });
  });

  test('how functions want to be treated, and how long jobs wait for the type, is kept', async () => {
    const [fn] = apiRegistration('packer')['functions'] as { name: string; version: string }[];
    const behaviour = { timers: { completeMs: 9, capMs: 10 }, retry: { max: 1, on: ['lost'] } };
    const offline = { policy: 'fail', limitMs: 60_000 };
    const functions = [{ ...fn, ...behaviour }];
    await harness.register(apiRegistration('packer', { functions, offline }), 'packer');
    const typeOf = () => harness.store.prisma.workerType.findUniqueOrThrow({ where: { name: 'packer' } });
    const expected = { [fn?.name ?? '']: { version: fn?.version, ...behaviour } };
    expect(await typeOf()).toMatchObject({ behaviour: expected, offline });
    await harness.register(apiRegistration('packer'), 'packer');
    expect(await typeOf()).toMatchObject({ offline });
  });

  test('a task with a cron is a schedule, with what is said of slots that overlap or were missed', async () => {
    const say = (more: object) =>
      harness.register(apiRegistration('packer', { tasks: [{ name: 'daily', cron: '0 3 * * *', ...more }] }), 'packer');
    const kept = () => harness.store.prisma.schedule.findUniqueOrThrow({ where: { name: 'task-packer-daily' } });
    await say({});
    const first = await kept();
    expect(first).toMatchObject({ overlap: 'skip', missed: 'last', maxCatchUp: 100, revision: 1 });
    await say({});
    expect(await kept()).toMatchObject({ revision: 1 });
    await say({ overlap: 'queue', missed: 'all', maxCatchUp: 3 });
    const policies = { overlap: 'queue', missed: 'all', maxCatchUp: 3 };
    expect(await kept()).toMatchObject({ id: first.id, nextAt: first.nextAt, ...policies, revision: 2 });
    const refused = { tasks: [{ name: 'daily', timeZone: 'UTC', ...policies }] };
    const { body } = await harness
      .as('packer')
      .post('/v1/workers')
      .send(apiRegistration('packer', refused))
      .expect(400);
    expect(faultPaths(body).toSorted()).toEqual(
      ['maxCatchUp', 'missed', 'overlap', 'timeZone'].map((member) => `/tasks/0/${member}`),
    );
    await harness.register(apiRegistration('packer', { tasks: [] }), 'packer');
  });

  test('a runner that tells of its type is held to what is built on it, and one of a type with an API is not', async () => {
    await harness.register(registration('painter', { transport: 'http' }));
    const profiles = [{ id: newId(), name: 'kept', function: 'painter.do', revision: 1 }];
    await harness.as('painter').put('/v1/worker-types/painter/profiles').send({ profiles }).expect(200);
    const send = (type: 'painter' | 'packer') =>
      harness
        .as(type)
        .post('/v1/workers')
        .send(registration(type, { transport: 'http', functions: [] }));
    await setCompatibilityMode(harness.store, 'painter', 'enforce');
    const refused = (await send('painter').expect(409)).body as { code: string; breaks: object[] };
    expect(refused).toMatchObject({
      code: 'incompatible',
      breaks: [{ kind: 'function_removed', task: 'painter/kept' }],
    });
    await setCompatibilityMode(harness.store, 'painter', 'warn');
    expect((await send('painter').expect(201)).body).toMatchObject({ breaks: [{ task: 'painter/kept' }] });
    expect((await send('packer').expect(201)).body).not.toHaveProperty('breaks');
  });

  test('the same instance again supersedes the earlier one', async () => {
    const first = await harness.register(registration('painter', { instance: 'twin' }));
    const second = await harness.register(registration('painter', { instance: 'twin' }));
    const beat = { freeSlots: 1, held: [] };
    const gone = await harness.as('painter').post(`/v1/workers/${first.workerId}/heartbeat`).send(beat).expect(410);
    expect(gone.body).toMatchObject({ code: 'gone' });
    await harness.as('painter').post(`/v1/workers/${second.workerId}/heartbeat`).send(beat).expect(200);
  });

  test('a type that is not the account’s own is a 403', async () => {
    const { body } = await harness.as('painter').post('/v1/workers').send(registration('packer')).expect(403);
    expect(body).toMatchObject({ code: 'forbidden' });
    await harness.as('painter').put('/v1/worker-types/packer/profiles').send({ profiles: [] }).expect(403);
  });

  test('a missing and a wrong key are a 401', async () => {
    const send = (key?: string) => {
      const call = request(harness.app).post('/v1/workers').send(registration('painter'));
      return key === undefined ? call : call.set('authorization', key);
    };
    for (const key of [undefined, 'Bearer sk_wrong', harness.keys.painter, 'Basic eDp5']) {
      const { body, headers } = await send(key).expect(401);
      expect(body).toMatchObject({ code: 'unauthenticated' });
      expect(headers['www-authenticate']).toBe('Bearer');
    }
  });

  test('a revoked key stops working', async () => {
    const { prisma } = harness.store;
    await prisma.serviceAccount.update({ where: { name: 'cu' }, data: { revokedAt: new Date() } });
    await harness.as('cu').post('/v1/workers').send(registration('cu')).expect(401);
    await prisma.serviceAccount.update({ where: { name: 'cu' }, data: { revokedAt: null } });
    await harness.register(registration('cu'), 'cu');
  });

  test.each([
    ['no body fields', {}, ['/functions', '/instance', '/language', '/owner']],
    ['an unknown field', registration('painter', { colour: 1 }), ['/colour']],
    ['a wrong protocol', registration('painter', { protocolVersion: 2 }), ['/protocolVersion']],
    ['a runner without slots', registration('painter', { slots: 0 }), ['/slots']],
    ['a runner with profiles', registration('painter', { profiles: [] }), ['/profiles']],
    ['an API with slots', apiRegistration('painter', { slots: 1 }), ['/slots']],
    ['an API without a URL', apiRegistration('painter', { apiUrl: undefined }), ['/apiUrl']],
    ['a foreign URL', apiRegistration('painter', { apiUrl: 'http://169.254.169.254/' }), ['/apiUrl']],
    [
      'an alias for another type',
      apiRegistration('painter', { aliases: [{ from: 'cu/a', to: 'packer/a' }] }),
      ['/aliases/0/to'],
    ],
    [
      'a function twice',
      registration('painter', {
        functions: ['1', '2'].map((version) => ({
          ...{ name: 'f', version, settingsSchema: {}, inputSchema: {}, outputSchema: {} },
        })),
      }),
      ['/functions/1/name'],
    ],
  ])('%s is a 400 with pointers', async (_what, body, paths) => {
    const answer = await harness.as('painter').post('/v1/workers').send(body).expect(400);
    expect(answer.body).toMatchObject({ code: 'bad_request' });
    expect(faultPaths(answer.body)).toEqual(expect.arrayContaining(paths));
  });

  test('a JSON bomb is a 400', async () => {
    for (const bomb of ['['.repeat(10_000), '{"labels":'.repeat(5_000)]) {
      const { body } = await harness.as('painter').post('/v1/workers').type('json').send(bomb).expect(400);
      expect(body).toMatchObject({ code: 'json_too_deep' });
    }
  });
});

describe('the gateway', () => {
  test('is ready with its stores and describes itself', async () => {
    const { body } = await request(harness.app).get('/ready').expect(200);
    expect(body).toEqual({ status: 'ready', checks: { database: 'ok', queue: 'ok', blobs: 'ok' } });
    await request(harness.app).get('/openapi.json').expect(200);
    await harness.as('painter').get('/v1/nothing').expect(404);
    await harness.as('painter').get('/v1/workers').expect(405);
  });

  test('a runner that claims over HTTP is told no queue; a process that is API and runner in one registers once', async () => {
    const http = await harness.register(registration('painter', { transport: 'http', instance: 'over-http' }));
    expect(http.queue).toBeUndefined();
    const both = { role: 'both', transport: 'http', instance: 'in-one', apiUrl: 'http://127.0.0.1:4711', profiles: [] };
    expect((await harness.register(registration('painter', both))).queue).toBeUndefined();
    const wrong = { ...both, transport: 'bullmq', slots: 0, apiUrl: undefined };
    const refused = await harness.as('painter').post('/v1/workers').send(registration('painter', wrong)).expect(400);
    expect(faultPaths(refused.body).toSorted()).toEqual(['/apiUrl', '/slots', '/transport']);
  });

  test('the document of queues and events is there for everybody', async () => {
    const answer = await request(harness.app).get('/asyncapi.json').expect(200);
    expect(answer.body).toMatchObject({ asyncapi: '3.0.0' });
  });
});
