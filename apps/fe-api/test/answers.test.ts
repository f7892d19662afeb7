import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type JobId, type JsonValue, type OrderId, type PlanId } from '@connecta/contracts';
import type { WaitStep } from '@connecta/domain';
import { openFeWorld, type FeWorld } from './fe-world.ts';

/** What of a trace tells why something has not begun. */
interface Seen {
  waitsFor?: string;
  why?: string;
  jobs: { [step: string]: { why?: string; until?: string } };
}

describe('answers to steps that wait', () => {
  let world: FeWorld;
  beforeAll(async () => {
    world = await openFeWorld('fe-answers');
  });
  afterAll(() => world.close());

  /** An order of client `own` whose only step waits, as the engine leaves it. */
  const waiting = async (wait: WaitStep['wait'], dueAt: Date | null = null): Promise<{ id: OrderId; jobId: JobId }> => {
    const { prisma } = world.store;
    const [id, jobId, planId] = [newId<OrderId>(), newId<JobId>(), newId<PlanId>()];
    const version = await prisma.workflowVersion.create({
      data: { id: newId(), hash: planId, definition: { tasks: ['math/one'] } },
    });
    const steps = { steps: { ask: { kind: 'wait', needs: [], wait } }, outputs: ['ask'] };
    await prisma.plan.create({ data: { id: planId, hash: planId, workflowVersionId: version.id, steps } });
    const order = { state: 'active', progress: { ask: 'waiting' }, input: 5, createdBy: 'test', traceparent: '' };
    await prisma.order.create({ data: { id, clientId: world.clients.own, planId, ...order } });
    const job = { step: 'ask', kind: 'wait', state: 'waiting', attempt: 1, input: 5, dueAt };
    await prisma.job.create({ data: { id: jobId, orderId: id, ...job } });
    return { id, jobId };
  };
  const traced = async (role: Parameters<FeWorld['as']>[0], id: OrderId): Promise<Record<string, JsonValue>> =>
    ((await world.as(role)('get', `/v1/orders/${id}`).expect(200)).body as { jobs: { ask: Record<string, JsonValue> } })
      .jobs.ask;
  const callbackOf = async (id: OrderId): Promise<string> => (await traced('client', id))['callback'] as string;

  test('the trace tells for what a step waits, until when, and where to answer, but not those who only look', async () => {
    const { id } = await waiting({ for: 'callback', timeoutMs: 60_000 }, new Date('2030-01-01T00:00:00Z'));
    const callback = expect.stringMatching(/^\/v1\/callbacks\/[\w.-]{60,}$/) as unknown;
    const ask = { wait: 'callback', state: 'waiting', waitsFor: 'callback', until: '2030-01-01T00:00:00.000Z' };
    expect(await traced('client', id)).toMatchObject({ ...ask, callback });
    expect(await traced('operator', id)).toMatchObject({ callback });
    expect(await traced('viewer', id)).not.toHaveProperty('callback');
  });

  test('a callback needs no key, counts once, and a repeat with the same body is answered the same', async () => {
    const { id, jobId } = await waiting({ for: 'callback' });
    const path = await callbackOf(id);
    const answer = (body: object | string) =>
      world.send('post', path).set('content-type', 'application/json').send(body);
    const first = await answer({ paid: true, n: 1 }).expect(200);
    expect(first.body).toMatchObject({ orderId: id, jobId, step: 'ask', by: 'callback' });
    expect((await answer('{"n": 1, "paid": true}').expect(200)).body).toEqual(first.body);
    expect((await answer({ paid: false }).expect(409)).body).toMatchObject({ code: 'already_answered' });
    expect(await world.store.prisma.job.findUniqueOrThrow({ where: { id: jobId } })).toMatchObject({
      ...{ state: 'waiting', work: 'answer' },
      decision: { value: { paid: true, n: 1 } },
    });
  });

  test('an answer that is too large to travel inline is kept as a blob of the client', async () => {
    const { id, jobId } = await waiting({ for: 'callback' });
    const path = await callbackOf(id);
    const body = { text: 'x'.repeat(20_000) };
    await world.send('post', path).send(body).expect(200);
    await world.send('post', path).send(body).expect(200);
    await world
      .send('post', path)
      .send({ text: 'y'.repeat(20_000) })
      .expect(409);
    const { decision } = await world.store.prisma.job.findUniqueOrThrow({ where: { id: jobId } });
    expect(decision).toMatchObject({ value: { mediaType: 'application/json', size: JSON.stringify(body).length } });
  });

  test('an answer refers to blobs of the client alone, and names no files of shares', async () => {
    const { id, jobId } = await waiting({ for: 'callback' });
    const path = await callbackOf(id);
    const refused = async (body: object): Promise<unknown> =>
      (await world.send('post', path).send(body).expect(422)).body;
    const upload = (client: string) =>
      world.send('post', `/v1/blobs?client=${client}`).set('content-type', 'image/png').send(Buffer.from('x'));
    const [own, foreign] = [(await upload('own').expect(201)).body, (await upload('other').expect(201)).body];
    const unknown = { code: 'unknown_blob', errors: [{ path: '/list/1' }] };
    expect(await refused({ list: [own, foreign] })).toMatchObject(unknown);
    expect(await refused({ list: [own, { blobId: newId() }] })).toMatchObject(unknown);
    const file = { file: { share: 'lab', path: 'x' } };
    expect(await refused(file)).toMatchObject({ code: 'invalid_input', errors: [{ path: '' }] });
    await world
      .send('post', path)
      .send({ list: [{ blobId: own.blobId }] })
      .expect(200);
    const { decision } = await world.store.prisma.job.findUniqueOrThrow({ where: { id: jobId } });
    const { blobId, mediaType, size, sha256 } = own;
    expect(decision).toMatchObject({ value: { list: [{ blobId, mediaType, size, sha256 }] } });
  });

  test('a token that is none, or of a step that has ended, is told apart', async () => {
    const { id, jobId } = await waiting({ for: 'callback' });
    const path = await callbackOf(id);
    await world.store.prisma.job.update({ where: { id: jobId }, data: { state: 'cancelled' } });
    expect((await world.send('post', path).send({}).expect(409)).body).toMatchObject({ code: 'already_ended' });
    const forged = path.replace(/.$/, (last) => (last === 'A' ? 'E' : 'A'));
    await world.send('post', forged).send({}).expect(404);
  });

  test('a person decides by role, once, and edits only with a value', async () => {
    const { id, jobId } = await waiting({ for: 'approval', role: 'admin', instructions: 'look closely' });
    const path = `/v1/orders/${id}/jobs/${jobId}/decision`;
    const decide = (role: Parameters<FeWorld['as']>[0], body: object) => world.as(role)('post', path).send(body);
    expect(await traced('client', id)).toMatchObject({
      waitsFor: 'approval',
      role: 'admin',
      instructions: 'look closely',
    });
    await decide('client', { decision: 'approve' }).expect(403);
    expect((await decide('operator', { decision: 'approve' }).expect(403)).body).toMatchObject({ code: 'forbidden' });
    await decide('admin', { decision: 'edit' }).expect(400);
    await decide('admin', { decision: 'approve', value: 1 }).expect(400);
    const edit = { decision: 'edit', value: 7, comment: 'brighter' };
    const first = await decide('admin', edit).expect(200);
    expect((await decide('admin', edit).expect(200)).body).toEqual(first.body);
    expect((await decide('admin', { decision: 'approve' }).expect(409)).body).toMatchObject({
      code: 'already_answered',
    });
    expect(await traced('client', id)).toMatchObject({ decidedBy: 'key:admin', comment: 'brighter' });
  });

  test('what is no approval of the order cannot be decided on', async () => {
    const one = await waiting({ for: 'callback' });
    const other = await waiting({ for: 'approval' });
    const decide = (id: OrderId, jobId: JobId) =>
      world.as('operator')('post', `/v1/orders/${id}/jobs/${jobId}/decision`).send({ decision: 'approve' });
    await decide(one.id, one.jobId).expect(404);
    await decide(one.id, other.jobId).expect(404);
    await decide(other.id, newId<JobId>()).expect(404);
  });

  test('an order, and each step of it, tells why it has not begun', async () => {
    const read = async (id: string, role: 'client' | 'viewer' = 'viewer'): Promise<Seen> =>
      (await world.as(role)('get', `/v1/orders/${id}`)).body;
    const { prisma } = world.store;
    const steps = { one: { uses: 'math/one' }, two: { uses: 'math/two', needs: ['one'] } };
    const limited = { name: 'limited', steps, concurrency: { max: 1, key: 'input' } };
    expect((await world.send('post', '/v1/workflows').send(limited)).status).toBe(201);
    const place = async (): Promise<OrderId> =>
      (await world.send('post', '/v1/orders').send({ workflow: 'limited', client: 'own', input: 5 }).expect(202)).body
        .id;
    const [id, behind] = [await place(), await place()];
    // Accepted: the first has its turn, and the second none as long as the first is before it.
    expect(await read(id)).toMatchObject({
      ...{ waitsFor: 'turn', why: 'the next orchestrator takes it' },
      jobs: { two: { state: 'pending', waitsFor: 'steps', why: 'needs the end of one' } },
    });
    expect((await read(id)).jobs['one']).toEqual({ uses: 'math/one', state: 'pending' });
    expect((await read(behind)).why).toMatch(/limited 5, 0 of at most 1 orders are active; .* before it: 1$/);
    // A client is not told how much others have under way, nor how much of a type there is.
    expect((await read(behind, 'client')).why).toMatch(
      /limited 5, at most 1 orders are active .* others are before it$/,
    );
    // Active, while no runner is up: then the offline policy says how long.
    await world.begin(id);
    const offline = await read(id);
    expect(offline).not.toHaveProperty('why');
    expect(offline.jobs['one']).toMatchObject({
      ...{ state: 'queued', waitsFor: 'runner', why: expect.stringContaining('no runner of the type math is up') },
    });
    const { invokedAt } = await prisma.job.findFirstOrThrow({ where: { orderId: id } });
    expect(Date.parse(offline.jobs['one']?.until ?? '') - (invokedAt as Date).getTime()).toBe(86_400_000);
    expect((await read(behind)).waitsFor).toBe('concurrency');
    // While a runner is up and busy, and then waits for its next attempt.
    const runner = { id: newId(), workerType: 'math', instance: 'r', version: '1', language: 'x', state: 'ready' };
    await prisma.workerInstance.create({ data: { ...runner, slots: 2, freeSlots: 0, heartbeatMs: 5000 } });
    const busy = (await read(id)).jobs['one'];
    expect(busy).toMatchObject({ waitsFor: 'runner', why: 'all slots of the type math are taken: 2' });
    expect(busy).not.toHaveProperty('until');
    expect((await read(id, 'client')).jobs['one']?.why).toBe('all slots of the type math are taken');
    await prisma.workerInstance.delete({ where: { id: runner.id } });
    const notBefore = new Date('2100-01-01T00:00:00Z');
    await prisma.job.updateMany({ where: { orderId: id }, data: { state: 'pending', notBefore } });
    const backoff = { waitsFor: 'retry', until: notBefore.toISOString() };
    expect((await read(id)).jobs['one']).toMatchObject(backoff);
    for (const each of [id, behind]) await world.send('post', `/v1/orders/${each}/cancel`);
    expect((await read(id)).jobs['two']).toEqual({ uses: 'math/two', state: 'cancelled' });
  });
});
