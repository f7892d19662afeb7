import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TraceOrder } from '../src/api-client.ts';
import { TestSystem, until } from '../src/system.ts';

const add = { uses: 'generic/add-2' };
const times = { uses: 'generic/times-2' };

describe('the workflow language, through the APIs of a whole system', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await TestSystem.start();
    // The workers tell their tasks some moments after the APIs answer.
    await until(async () => {
      const steps = { add, times };
      const { body } = await system.api.send('POST', '/v1/workflows/validate', { body: { steps } });
      return body['valid'] === true;
    });
  });
  afterAll(() => system.stop());

  const run = (order: object): Promise<TraceOrder> => system.api.run({ client: 'default', ...order });
  const save = async (definition: object): Promise<void> => {
    const { status, body } = await system.api.send('POST', '/v1/workflows', { body: definition });
    if (status !== 201) throw new Error(JSON.stringify(body));
  };

  test('a condition decides whether a step runs, and who comes behind does without it', async () => {
    // Given a step that only large inputs need
    const steps = {
      plus: add,
      large: { ...times, needs: ['plus'], if: 'steps.plus.result > 10' },
      both: {
        ...add,
        needs: ['plus', 'large'],
        with: 'has(steps.large.result) ? steps.large.result : steps.plus.result',
      },
    };
    // When a small and a large one are sent, then each takes its way
    const small = await run({ input: 5, steps, output: 'both' });
    expect([small.state, small.jobs['large']?.state, small.result]).toEqual(['completed', 'skipped', 9]);
    const large = await run({ input: 50, steps, output: 'both' });
    expect([large.jobs['large']?.state, large.result]).toEqual(['completed', 106]);
  });

  test('an expression that fails is an error with its place, never a yes', async () => {
    const order = await run({ input: { a: 1 }, steps: { plus: { ...add, if: 'input.b' } } });
    expect(order.state).toBe('failed');
    expect(order.jobs['plus']).toMatchObject({
      state: 'error',
      error: { kind: 'permanent', code: 'expression_failed', message: expect.stringContaining('steps.plus.if') },
    });
  });

  test('a workflow runs as a step, with its own order and its own params', async () => {
    // Given a workflow with a param that has a default
    await save({
      name: 'shift',
      params: { by: { type: 'number', default: 100 } },
      steps: { shift: { ...add, with: 'input + params.by' } },
    });
    // When another one runs it, once as it is and once with the param
    const steps = {
      first: { workflow: 'shift' },
      second: { workflow: 'shift', needs: ['first'], params: { by: 'steps.first.result' } },
    };
    const order = await run({ input: 1, steps, output: 'second' });
    // Then 1 + 100 + 2 = 103, and 103 + 103 + 2 = 208
    expect([order.state, order.jobs['first']?.result, order.result]).toEqual(['completed', 103, 208]);
  });

  test('an order says which pipeline a step runs: a name, tasks, or steps', async () => {
    await save({ name: 'any', steps: { inner: { workflow: { param: 'pipeline', default: 'shift' } } } });
    const result = async (pipeline?: unknown): Promise<unknown> =>
      (await run({ workflow: 'any', input: 5, ...(pipeline === undefined ? {} : { params: { pipeline } }) })).result;
    expect(await result()).toBe(107);
    expect(await result(['generic/add-2', 'generic/times-2'])).toBe(14);
    expect(await result({ steps: { a: times, b: { ...times, needs: ['a'] } } })).toBe(20);
    const { status, body } = await system.api.send('POST', '/v1/orders', {
      body: { client: 'default', workflow: 'any', params: { pipeline: 7 } },
    });
    expect([status, body['errors']]).toMatchObject([422, [{ path: '/params/pipeline' }]]);
  });

  test('a draft takes the short way', async () => {
    const steps = { rough: add, fine: { ...times, needs: ['rough'], if: 'strategy == "final"' } };
    const stateOfFine = async (order: object): Promise<unknown> =>
      (await run({ input: 1, steps, output: 'rough', ...order })).jobs['fine']?.state;
    expect(await stateOfFine({ strategy: 'draft' })).toBe('skipped');
    expect(await stateOfFine({})).toBe('completed');
  });

  test('a function sees the strategy, also where nobody said one', async () => {
    // Given a setup that returns the strategy
    const setup = {
      ...{ name: 'strategy', function: 'json.transform', settings: { template: { $params: '/strategy' } } },
    };
    const saved = await system.api.send('POST', '/v1/workers/generic/profiles', { body: setup });
    expect(saved.status).toBe(201);
    // When orders run it that are drafts, and that say nothing
    const results = [{ strategy: 'draft' }, {}].map(async (order) => {
      const place = (): Promise<TraceOrder> => run({ tasks: ['generic/strategy'], input: 1, ...order });
      return (await until(place)).result;
    });
    // Then it knows what each is
    expect(await Promise.all(results)).toEqual(['draft', 'final']);
  });

  test('a person decides, and the way that was taken goes on', async () => {
    // Given a step that waits for a person, with a way for each answer
    const steps = {
      ask: { wait: { for: 'approval', timeout: '1h' } },
      yes: { ...add, needs: ['ask:approve', 'ask:edit'] },
      no: { ...times, needs: ['ask:reject'] },
    };
    const { body } = await system.api.send<{ id: string }>('POST', '/v1/orders', {
      body: { client: 'default', input: 5, steps },
    });
    const jobs = `/v1/orders/${body.id}/jobs`;
    const waiting = await until(async () => {
      const page = await system.api.send<{ items: { id: string; step: string; state: string }[] }>('GET', jobs);
      return page.body.items.find(({ step, state }) => step === 'ask' && state === 'waiting');
    });
    // When somebody changes the value
    await system.api.send('POST', `${jobs}/${waiting.id}/decision`, { body: { decision: 'edit', value: 40 } });
    // Then the one way runs with it and the other does not
    const order = await until(async () => {
      const read = await system.api.send<TraceOrder>('GET', `/v1/orders/${body.id}`);
      return read.body.state === 'completed' ? read.body : undefined;
    });
    expect([order.jobs['yes']?.result, order.jobs['no']?.state]).toEqual([42, 'skipped']);
  });

  test('every fault of a workflow is told at once, with its line and column', async () => {
    const text = `name: broken
priority: 11
steps:
  a: { uses: generic/add-2, if: "inptu > 1" }
  b:
    uses: generic/none
    with: { x: steps.c.result }
  c: { workflow: nowhere, retry: { max: 1 } }
`;
    const errors = async (yaml: string): Promise<string[]> => {
      const { body } = await system.api.send<{ errors: { line: number; column: number; path: string }[] }>(
        'POST',
        '/v1/workflows/validate',
        { body: yaml, headers: { 'content-type': 'application/yaml' } },
      );
      return body.errors.map(({ line, column, path }) => `${line}:${column} ${path}`);
    };
    const rest = [
      '8:34 /steps/c/retry',
      '4:33 /steps/a/if',
      '7:16 /steps/b/with/x',
      '6:11 /steps/b/uses',
      '8:18 /steps/c/workflow',
    ];
    expect(await errors(text)).toEqual(['2:11 /priority', ...rest]);
    expect(await errors(text.replace('priority: 11', 'priority: 1'))).toEqual(rest);
    // And so is what is no YAML at all
    expect(await errors('name: [a\nsteps:\n  a: { uses: b, uses: c }\n  d: *e\n')).toHaveLength(3);
    // And what a step gives its workflow, and does not
    const inner = {
      name: 'takes',
      params: { size: { type: 'number', required: true } },
      steps: { a: { wait: { for: 'callback' } } },
    };
    expect((await system.api.send('POST', '/v1/workflows', { body: inner })).status).toBe(201);
    const outer = `steps:
  a: { workflow: takes, params: { szie: 1 } }
  b: { workflow: takes, params: { size: true } }
  c: { workflow: takes, params: { size: input.size }, needs: [a] }
  d: { wait: { for: approval, timeout: 1h } }
  e: { uses: generic/add-2, needs: [d, "d:timeout"] }
`;
    expect((await errors(outer)).sort()).toEqual(
      [
        '2:41 /steps/a/params/szie',
        '2:33 /steps/a/params/size',
        '3:41 /steps/b/params/size',
        '6:40 /steps/e/needs/1',
      ].sort(),
    );
  });
});
