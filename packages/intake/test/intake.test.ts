import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type ClientId, type JsonValue, type OrderId, type Problem } from '@connecta/contracts';
import type { Plan } from '@connecta/domain';
import { createIntake, validateWorkflow, type IntakeRequest, type Outcome } from '../src/index.ts';
import { openWorld, type World } from './world.ts';

let world: World;
let otherClient: ClientId;
beforeAll(async () => {
  world = await openWorld('intake');
  await world.addProfile('generic/add-2', { revision: 3 });
  await world.addProfile('generic/times-2');
  await world.addProfile('cu/old', { aliasOf: 'generic/add-2' });
  otherClient = await world.addClient('other', 'flow');
});
afterAll(() => world.close());

async function one(order: JsonValue, more: Partial<IntakeRequest> = {}): Promise<Outcome> {
  const [outcome] = await world.intake.accept([world.request(order, more)]);
  return outcome as Outcome;
}
async function accepted(order: JsonValue, more: Partial<IntakeRequest> = {}): Promise<OrderId> {
  const outcome = await one(order, more);
  if (!outcome.ok) throw outcome.problem;
  return outcome.id;
}
async function refused(order: JsonValue, more: Partial<IntakeRequest> = {}): Promise<Problem> {
  const outcome = await one(order, more);
  if (outcome.ok) throw new Error('it was accepted');
  return outcome.problem;
}
const row = (id: OrderId) => world.store.prisma.order.findUniqueOrThrow({ where: { id } });
const planOf = async (id: OrderId): Promise<Plan> => {
  const { planId } = await row(id);
  return (await world.store.prisma.plan.findUniqueOrThrow({ where: { id: planId } })).steps as unknown as Plan;
};

describe('what an order runs', () => {
  test('a list of tasks is a chain of steps named after the profiles, pinned to their revisions', async () => {
    const id = await accepted({ tasks: ['generic/add-2', 'generic/times-2', 'generic/add-2'], input: 5 });
    const { steps, outputs } = await planOf(id);
    expect(Object.keys(steps)).toEqual(['add-2', 'times-2', 'add-2-2']);
    expect(steps['add-2']).toMatchObject({
      uses: 'generic/add-2',
      profileRevision: 3,
      function: 'math.add',
      needs: [],
    });
    expect(steps['add-2-2']?.needs).toEqual(['times-2']);
    expect(outputs).toEqual(['add-2-2']);
    expect(await row(id)).toMatchObject({ state: 'accepted', input: 5, clientId: world.clientId, createdBy: 'test' });
  });

  test('orders that mean the same share one plan, also from another process', async () => {
    const order = { tasks: ['generic/times-2'] };
    const first = await row(await accepted(order));
    const elsewhere = createIntake({ store: world.store, storeValue: async ({ value }) => value });
    const [second] = await elsewhere.accept([world.request(order)]);
    expect(second?.ok && (await row(second.id)).planId).toBe(first.planId);
  });

  test('an alias leads to the task it stands for and keeps its own name', async () => {
    const { steps } = await planOf(await accepted({ tasks: ['cu/old'] }));
    expect(steps['old']).toMatchObject({ uses: 'cu/old', workerType: 'generic', profileRevision: 3 });
  });

  test('a new profile revision counts for the next order', async () => {
    const id = await world.addProfile('generic/changing');
    await accepted({ tasks: ['generic/changing'] });
    await world.store.prisma.profile.updateMany({ where: { id }, data: { revision: 2 } });
    const { steps } = await planOf(await accepted({ tasks: ['generic/changing'] }));
    expect(steps['changing']).toMatchObject({ profileRevision: 2 });
  });

  test('what a type says of its functions is pinned, and counts anew for the next order', async () => {
    const type = { version: '1', language: 'ts', apiUrl: '', transport: 'bullmq', ownerTeam: 't', ownerContact: 'c' };
    const behaviour = { 'math.add': { version: '1.0.0', timers: { completeMs: 5 }, retry: { max: 0 } } };
    await world.store.prisma.workerType.create({ data: { name: 'tuned', ...type, functions: [], behaviour } });
    await world.addProfile('tuned/add');
    const first = await accepted({ tasks: ['tuned/add'] });
    expect((await planOf(first)).steps['add']).toMatchObject({ timers: { completeMs: 5 }, retry: { maxFailed: 1 } });
    await world.store.prisma.workerType.update({
      where: { name: 'tuned' },
      data: { behaviour: { 'math.add': { version: '1.1.0', offline: { policy: 'fail' } } } },
    });
    const { steps } = await planOf(await accepted({ tasks: ['tuned/add'] }));
    expect(steps['add']).toMatchObject({ offline: { policy: 'fail' } });
    expect(steps['add']).not.toHaveProperty('timers');
  });

  test('a workflow runs at its latest version, a named version, or by the contract of the client', async () => {
    await world.addWorkflow('flow', 1, { steps: { a: { uses: 'generic/add-2' } } });
    const old = await accepted({ workflow: 'flow' });
    await world.addWorkflow('flow', 2, { steps: { b: { uses: 'generic/add-2' } } });
    expect(Object.keys((await planOf(old)).steps)).toEqual(['a']);
    expect(Object.keys((await planOf(await accepted({ workflow: 'flow' }))).steps)).toEqual(['b']);
    expect(Object.keys((await planOf(await accepted({ workflow: 'flow@1' }))).steps)).toEqual(['a']);
    const contract = await accepted({ input: 1 }, { client: { id: otherClient } });
    expect(Object.keys((await planOf(contract)).steps)).toEqual(['b']);
  });

  test('own steps keep the order in which they were written', async () => {
    const steps = { zebra: { uses: 'generic/add-2' }, ant: { uses: 'generic/add-2', needs: ['zebra'] } };
    expect(Object.keys((await planOf(await accepted({ steps }))).steps)).toEqual(['zebra', 'ant']);
  });

  test('nothing to run, unknown workflow, unknown client', async () => {
    expect((await refused({ input: 1 })).code).toBe('no_workflow');
    expect((await refused({ workflow: 'nope' })).code).toBe('unknown_workflow');
    expect((await refused({ workflow: 'flow@9' })).code).toBe('unknown_workflow');
    expect((await refused({ tasks: ['generic/add-2'] }, { client: { name: 'nobody' } })).faults[0]?.path).toBe(
      '/client',
    );
  });

  test('an unknown task is named with its place and what was meant', async () => {
    const problem = await refused({ tasks: ['generic/times-2', 'generic/ad-2'] });
    expect(problem.code).toBe('unknown_task');
    expect(problem.faults).toEqual([
      {
        path: '/tasks/1',
        code: 'unknown_task',
        message: expect.stringContaining("'generic/add-2'"),
      },
    ]);
    const steps = { a: { uses: 'generic/add-2' }, b: { uses: 'no/such' } };
    expect((await refused({ steps })).faults[0]?.path).toBe('/steps/b/uses');
  });

  test('steps that are no workflow tell all faults', async () => {
    const cycle = { a: { uses: 'generic/add-2', needs: ['b'] }, b: { uses: 'generic/add-2', needs: ['a', 'c'] } };
    const problem = await refused({ steps: cycle });
    expect(problem.code).toBe('invalid_workflow');
    expect(problem.faults.map((fault) => fault.code).sort()).toEqual(['cycle', 'unknown_step']);
  });

  test('a request of the wrong shape tells all faults', async () => {
    const problem = await refused({ tasks: ['x'], workflow: 'flow', blobId: 'x', input: 1, foo: 1, output: 'a' });
    expect(problem.code).toBe('bad_request');
    expect(problem.faults.map((fault) => fault.path).sort()).toEqual([
      '',
      '/blobId',
      '/blobId',
      '/foo',
      '/output',
      '/tasks',
    ]);
    expect((await refused([] as JsonValue)).code).toBe('bad_request');
  });
});

describe('input', () => {
  const tasks = ['generic/add-2'];

  test('an own blob travels with what is known of it, however it was written', async () => {
    const blobId = await world.addBlob(world.clientId);
    const ref = { blobId, mediaType: 'image/png', size: 3, sha256: 'b'.repeat(64) };
    expect((await row(await accepted({ tasks, blobId }))).input).toEqual(ref);
    const input = { list: [{ blobId }, { ...ref, size: 999 }], note: { blobId, other: 1 } };
    expect((await row(await accepted({ tasks, input }))).input).toEqual({
      list: [ref, ref],
      note: { blobId, other: 1 },
    });
  });

  test('a foreign blob and one that never was are refused alike, by their place', async () => {
    const foreign = await world.addBlob(otherClient);
    const problem = await refused({ tasks, input: [{ deep: [{ blobId: foreign }] }, { blobId: newId() }] });
    expect(problem.code).toBe('unknown_blob');
    expect(problem.faults.map((fault) => fault.path)).toEqual(['/input/0/deep/0', '/input/1']);
    expect((await refused({ tasks, blobId: foreign })).faults[0]?.path).toBe('/blobId');
    expect((await refused({ tasks, input: { blobId: 'what' } })).code).toBe('unknown_blob');
    expect((await refused({ tasks, params: { logo: { blobId: foreign } } })).faults[0]?.path).toBe('/params/logo');
  });

  test('a large JSON input becomes a blob, with the blobs that it refers to as they are known', async () => {
    const input = { text: 'é'.repeat(5000) };
    expect((await row(await accepted({ tasks, input }))).input).toMatchObject({ mediaType: 'application/json' });
    expect(world.storedValues).toContainEqual(input);
    const blobId = await world.addBlob(world.clientId);
    const ref = { blobId, mediaType: 'image/png', size: 3, sha256: 'b'.repeat(64) };
    expect((await row(await accepted({ tasks, input: { ...input, logo: { blobId } } }))).input).toMatchObject({
      mediaType: 'application/json',
    });
    expect(world.storedValues).toContainEqual({ ...input, logo: ref });
    const foreign = { blobId: await world.addBlob(otherClient) };
    expect((await refused({ tasks, input: [input, foreign] })).faults[0]?.path).toBe('/input/1');
    expect((await refused({ tasks, params: input })).code).toBe('invalid_input');
  });

  test('files on shares are for those who may name them', async () => {
    const input = { file: { share: 'in', path: 'a.txt' } };
    for (const values of [{ input }, { input: [{ deep: input }] }, { params: { a: input } }])
      expect((await refused({ tasks, ...values })).code).toBe('invalid_input');
    expect((await row(await accepted({ tasks, input }, { mayNameFiles: true }))).input).toEqual(input);
    const hidden = { tasks, input: [input, 'x'.repeat(9000)] };
    expect((await refused(hidden, { mayNameFiles: true })).code).toBe('invalid_input');
  });

  test('no input is null', async () => {
    expect((await row(await accepted({ tasks }))).input).toBeNull();
  });
});

describe('many at once', () => {
  const tasks = ['generic/add-2'];

  test('each of a batch has its own outcome', async () => {
    const outcomes = await world.intake.accept([
      world.request({ tasks, input: 1 }),
      world.request({ tasks: ['generic/none'] }),
      world.request({ tasks, input: 2 }),
    ]);
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true]);
  });

  test('data that the database refuses does not take others with it', async () => {
    const results = await Promise.allSettled([one({ tasks, input: 1 }), one({ tasks, input: 'a\0b' }), one({ tasks })]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  test('a key gives the same order again, to concurrent requests too, and refuses another body', async () => {
    const key = { scope: 'test POST /v1/orders', key: 'k1', bodyHash: 'h1' };
    const accept = (): Promise<Outcome[]> => world.intake.accept([world.request({ tasks, input: 7 })], key);
    const elsewhere = createIntake({ store: world.store, storeValue: async ({ value }) => value });
    const all = await Promise.all([
      accept(),
      accept(),
      elsewhere.accept([world.request({ tasks, input: 7 })], key),
      elsewhere.accept([world.request({ tasks, input: 7 })], key),
    ]);
    const ids = new Set(all.map(([outcome]) => outcome?.ok && outcome.id));
    expect(ids.size).toBe(1);
    expect(await accept()).toEqual([{ ok: true, id: [...ids][0], replayed: true }]);
    const [other] = await world.intake.accept([world.request({ tasks, input: 8 })], { ...key, bodyHash: 'h2' });
    expect(other?.ok === false && other.problem.code).toBe('idempotency_mismatch');
    expect(await world.store.prisma.order.count({ where: { input: { equals: 7 } } })).toBe(1);
  });

  test('a key of a batch replays each outcome, and is free again after a day', async () => {
    const key = { scope: 'test batch', key: 'k2', bodyHash: 'h' };
    const requests = [world.request({ tasks, input: 70 }), world.request({ tasks: ['generic/none'] })];
    const [first, second] = await world.intake.accept(requests, key);
    const again = await world.intake.accept(requests, key);
    expect(again[0]).toMatchObject({ ok: true, id: first?.ok && first.id });
    expect(again[1]?.ok === false && again[1].problem.toDocument()).toEqual(
      second?.ok === false && second.problem.toDocument(),
    );
    await world.store.pool.query(
      `UPDATE idempotency_keys SET created_at = now() - interval '25 hours' WHERE key = 'k2'`,
    );
    const [fresh] = await world.intake.accept(requests, key);
    expect(fresh?.ok && fresh.id).not.toBe(first?.ok && first.id);
  });

  test('a key of which nothing was accepted stays free', async () => {
    const key = { scope: 'test', key: 'k3', bodyHash: 'h' };
    await world.intake.accept([world.request({ tasks: ['generic/later'] })], key);
    await world.addProfile('generic/later');
    const [outcome] = await world.intake.accept([world.request({ tasks: ['generic/later'] })], key);
    expect(outcome?.ok).toBe(true);
  });
});

test('a workflow is checked with every fault at once', async () => {
  const found = await validateWorkflow(world.store, {
    steps: { a: { uses: 'generic/add-3', needs: ['b'] }, b: { uses: 'generic/add-2', needs: ['a'] } },
    output: 'c',
  });
  expect(found.faults.map((fault) => fault.path).sort()).toEqual(['/output', '/steps/a/needs', '/steps/a/uses']);
  expect((await validateWorkflow(world.store, { steps: { a: { uses: 'cu/old' } } })).faults).toEqual([]);
});
