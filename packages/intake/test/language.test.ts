import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue, OrderId, Problem } from '@connecta/contracts';
import type { OrderStep, Plan } from '@connecta/domain';
import { validateWorkflow, type Outcome } from '../src/index.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld('language');
  await world.addProfile('generic/add-2');
});
afterAll(() => world.close());

const task = { uses: 'generic/add-2' };
async function one(order: JsonValue): Promise<Outcome> {
  const [outcome] = await world.intake.accept([world.request(order)]);
  return outcome as Outcome;
}
async function accepted(order: JsonValue): Promise<OrderId> {
  const outcome = await one(order);
  if (!outcome.ok) throw outcome.problem;
  return outcome.id;
}
async function refused(order: JsonValue): Promise<Problem> {
  const outcome = await one(order);
  if (outcome.ok) throw new Error('it was accepted');
  return outcome.problem;
}
const row = (id: OrderId) => world.store.prisma.order.findUniqueOrThrow({ where: { id } });
const planById = async (id: string): Promise<Plan> =>
  (await world.store.prisma.plan.findUniqueOrThrow({ where: { id } })).steps as unknown as Plan;
const planOf = async (id: OrderId): Promise<Plan> => planById((await row(id)).planId);

describe('a step that is a workflow', () => {
  test('is pinned to the plan of the version that is the latest now, with the defaults of its params', async () => {
    await world.addWorkflow('inner', 1, { steps: { a: task } });
    await world.addWorkflow('outer', 1, { steps: { sub: { workflow: 'inner', params: { x: 'input' } } } });
    const sub = (await planOf(await accepted({ workflow: 'outer' }))).steps['sub'] as OrderStep;
    expect(sub).toMatchObject({ kind: 'order', workflow: 'inner@1', params: { x: 'input' }, needs: [] });
    expect((await planById(sub.planId)).steps['a']).toMatchObject({ kind: 'task', uses: 'generic/add-2' });
    const params = { x: {}, text: { default: 'a "b"' }, list: { default: ['c', 1, null, { d: 'e' }] } };
    await world.addWorkflow('inner', 2, { params, steps: { a: task } });
    const next = (await planOf(await accepted({ workflow: 'outer' }))).steps['sub'] as OrderStep;
    expect(next).toMatchObject({
      workflow: 'inner@2',
      params: { x: 'input', text: '"a \\"b\\""', list: ['"c"', 1, null, { d: '"e"' }] },
    });
    expect(next.planId).not.toBe(sub.planId);
  });

  test("can be what the order's params say: a name, tasks, or steps", async () => {
    await world.addWorkflow('given', 1, { steps: { sub: { workflow: { param: 'pipeline', default: 'inner' } } } });
    const stepsFor = async (pipeline?: JsonValue): Promise<[string, string[]]> => {
      const params = pipeline === undefined ? {} : { params: { pipeline } };
      const sub = (await planOf(await accepted({ workflow: 'given', ...params }))).steps['sub'] as OrderStep;
      return [sub.workflow, Object.keys((await planById(sub.planId)).steps)];
    };
    expect(await stepsFor()).toEqual(['inner@2', ['a']]);
    expect(await stepsFor('inner@1')).toEqual(['inner@1', ['a']]);
    expect(await stepsFor(['generic/add-2', 'generic/add-2'])).toEqual(['params.pipeline', ['add-2', 'add-2-2']]);
    expect(await stepsFor({ steps: { one: task, two: task }, output: 'two' })).toEqual([
      'params.pipeline',
      ['one', 'two'],
    ]);
  });

  test('is refused with its place when nothing can be run', async () => {
    const pathsOf = async (pipeline: JsonValue): Promise<string[]> =>
      (await refused({ workflow: 'given', params: { pipeline } })).faults.map(({ path }) => path);
    expect(await pathsOf(7)).toEqual(['/params/pipeline']);
    expect(await pathsOf('nothing')).toEqual(['/params/pipeline']);
    expect(await pathsOf(['generic/none'])).toEqual(['/params/pipeline/0']);
    expect(await pathsOf({ steps: { a: { uses: 'generic/add-2', if: 'foo' } } })).toEqual([
      '/params/pipeline/steps/a/if',
    ]);
    await world.addWorkflow('must', 1, { steps: { sub: { workflow: { param: 'pipeline' } } } });
    expect((await refused({ workflow: 'must' })).faults).toMatchObject([{ path: '/params/pipeline' }]);
  });

  test('cannot come back to where it was', async () => {
    await world.addWorkflow('ping', 1, { steps: { sub: { workflow: 'pong' } } });
    await world.addWorkflow('pong', 1, { steps: { sub: { workflow: 'ping' } } });
    const { code, faults } = await refused({ workflow: 'ping' });
    expect([code, faults[0]?.message]).toEqual([
      'invalid_workflow',
      'these workflows run each other: ping → pong → ping',
    ]);
    const saved = await validateWorkflow(world.store, { steps: { s: { workflow: 'pong' } } }, 'ping');
    expect(saved.faults).toEqual([
      { path: '/steps/s/workflow', message: 'these workflows run each other: ping → pong → ping', code: 'cycle' },
    ]);
    const unknown = { steps: { s: { workflow: { param: 'p', default: 'gone@2' } } } };
    expect((await validateWorkflow(world.store, unknown)).faults).toMatchObject([
      { path: '/steps/s/workflow/default', code: 'unknown_workflow' },
    ]);
    expect((await validateWorkflow(world.store, { steps: { s: { workflow: 'outer' } } })).faults).toEqual([]);
  });

  test('is given what its workflow takes, as far as that is known before it runs', async () => {
    const params = { size: { type: 'number', required: true }, title: { type: 'string' } };
    await world.addWorkflow('sized', 1, { params, steps: { a: task } });
    const given = async (values: JsonValue): Promise<string[]> => {
      const steps = { s: { workflow: 'sized', params: values } };
      const { faults } = await validateWorkflow(world.store, { steps });
      if (faults.length > 0) expect((await refused({ steps })).code).toBe('invalid_workflow');
      return faults.map(({ path, message }) => `${path} ${message}`);
    };
    expect(await given({ size: 'input.size', title: '"a"' })).toEqual([]);
    expect(await given({ szie: 1 })).toEqual([
      "/steps/s/params/szie there is no param 'szie'",
      '/steps/s/params/size is required',
    ]);
    expect(await given({ size: true, title: 1 })).toEqual([
      '/steps/s/params/size must be of the type number',
      '/steps/s/params/title must be of the type string',
    ]);
  });
});

test('waits, conditions and mappings come into the plan', async () => {
  const steps = {
    ask: { wait: { for: 'approval', timeout: '1h' } },
    go: { ...task, needs: ['ask:approve'], if: 'input > 1', with: { x: 'input' }, onError: 'continue' },
  };
  expect((await planOf(await accepted({ steps, input: 2 }))).steps).toMatchObject({
    ask: { kind: 'wait', wait: { for: 'approval', role: 'operator', timeoutMs: 3_600_000 } },
    go: { kind: 'task', needs: ['ask'], edges: { ask: ['approve'] }, if: 'input > 1', onError: 'continue' },
  });
});

describe('params of an order', () => {
  beforeAll(() =>
    world.addWorkflow('declared', 1, {
      params: { size: { type: 'number', default: 3 }, name: { type: 'string', required: true } },
      steps: { a: task },
    }),
  );

  test('are as the workflow declares them, with its defaults', async () => {
    const id = await accepted({ workflow: 'declared', params: { name: 'x' }, strategy: 'draft' });
    expect((await row(id)).params).toEqual({ name: 'x', size: 3, strategy: 'draft' });
    const { code, faults } = await refused({ workflow: 'declared', params: { size: '4', other: 1 } });
    expect([code, ...faults.map(({ path, message }) => `${path} ${message}`)]).toEqual([
      'invalid_input',
      '/params/size must be of the type number',
      "/params/other there is no param 'other'",
      '/params/name is required',
    ]);
  });

  test('may say the strategy, once', async () => {
    expect((await row(await accepted({ tasks: ['generic/add-2'], strategy: 'final' }))).params).toEqual({
      strategy: 'final',
    });
    expect((await refused({ tasks: ['generic/add-2'], strategy: 'best' })).faults).toMatchObject([
      { path: '/strategy' },
    ]);
    expect((await refused({ tasks: ['generic/add-2'], params: { strategy: 1 } })).code).toBe('invalid_input');
    const both = { tasks: ['generic/add-2'], params: { strategy: 'draft' }, strategy: 'final' };
    expect((await refused(both)).faults).toMatchObject([{ path: '/strategy' }]);
  });
});

describe('when an order has its turn', () => {
  test('is kept with it: its priority, and its key among the orders of its workflow', async () => {
    const line = { priority: 9, concurrency: { max: 2, key: 'client + ":" + input.site' } };
    await world.addWorkflow('limited', 1, { name: 'limited', ...line, steps: { a: task } });
    const kept = async (input: JsonValue): Promise<unknown> => {
      const { priority, concurrencyKey, concurrencyMax } = await row(await accepted({ workflow: 'limited', input }));
      return [priority, concurrencyKey, concurrencyMax];
    };
    expect(await kept({ site: 'x' })).toEqual([9, 'limited "default:x"', 2]);
    expect(await kept({ site: 'y'.repeat(300) })).toEqual([9, expect.stringMatching(/^limited [0-9a-f]{64}$/), 2]);
    expect((await refused({ workflow: 'limited', input: {} })).faults).toMatchObject([{ code: 'expression_failed' }]);
    await world.addWorkflow('single', 1, { name: 'single', concurrency: { max: 1 }, steps: { a: task } });
    expect(await row(await accepted({ workflow: 'single' }))).toMatchObject({ priority: 5, concurrencyKey: 'single' });
  });
});

test('a workflow is checked with every fault at once, also where the shape of some of it is wrong', async () => {
  const misshapen = await validateWorkflow(world.store, {
    steps: { a: { uses: 'generic/add-3', retry: 1 }, b: [], c: { uses: 'generic/add-4', needs: ['b', 'd'] } },
    output: 'e',
  });
  expect(misshapen.definition).toBeNull();
  expect(misshapen.faults.map((fault) => fault.path).sort()).toEqual([
    '/output',
    '/steps/a/retry',
    '/steps/a/uses',
    '/steps/b',
    '/steps/c/needs/1',
    '/steps/c/uses',
  ]);
  expect((await validateWorkflow(world.store, [])).faults).toHaveLength(1);
});
