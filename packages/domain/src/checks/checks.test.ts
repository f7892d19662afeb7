import { describe, expect, test } from '@jest/globals';
import type { WorkflowDefinition, WorkflowStep } from '@connecta/contracts';
import { compileWorkflow } from '../workflow.ts';

const faultsOf = (steps: { [name: string]: WorkflowStep }, more: Partial<WorkflowDefinition> = {}): string[] => {
  const result = compileWorkflow({ steps, ...more });
  return result.ok ? [] : result.faults.map((fault) => `${fault.path.replace('/steps/', '')}: ${fault.message}`);
};
const task = (more: Partial<WorkflowStep> = {}): WorkflowStep => ({ uses: 'g/x', ...more });

describe('steps', () => {
  test('each kind has its own members', () => {
    const settings = { timeouts: {}, retry: {}, offline: { policy: 'wait' }, cache: { ttl: '1s' } };
    expect(
      faultsOf({
        order: { workflow: 'w', ...settings },
        wait: { wait: { for: 'callback' }, forEach: 'input', params: {} },
      }),
    ).toEqual([
      'order/timeouts: a step that is a workflow has no timeouts',
      'order/retry: a step that is a workflow has no retry',
      'order/offline: a step that is a workflow has no offline',
      'order/cache: a step that is a workflow has no cache',
      'wait/params: a step that waits has no params',
      'wait/forEach: a step that waits has no forEach',
    ]);
  });

  test('each wait has its own members, and a time one of two', () => {
    expect(
      faultsOf({
        a: { wait: { for: 'callback', role: 'admin' } } as unknown as WorkflowStep,
        b: { wait: { for: 'time' } },
        c: { wait: { for: 'time', after: '1s', until: 'input' } },
        d: { wait: { for: 'time', after: '1s' } },
        e: { wait: { for: 'time', until: 'input' } },
      }),
    ).toEqual([
      'a/wait/role: has no meaning for a callback',
      'b/wait: a time has either until or after',
      'c/wait: a time has either until or after',
    ]);
  });

  test('durations are bounded', () => {
    expect(
      faultsOf({
        a: task({
          timeouts: { ack: '0s', start: '1m' },
          retry: { delay: '400d', maxDelay: '0s' },
          cache: { ttl: '0ms' },
        }),
        b: { wait: { for: 'approval', timeout: '999d' } },
      }),
    ).toEqual([
      "a/timeouts/ack: '0s' is not a duration between 1ms and 366d",
      "a/retry/delay: '400d' is not a duration between 1ms and 366d",
      "a/cache/ttl: '0ms' is not a duration between 1ms and 366d",
      "b/wait/timeout: '999d' is not a duration between 1ms and 366d",
    ]);
  });
});

describe('params', () => {
  test('defaults fit their types, and the reserved name is not taken', () => {
    const params: NonNullable<WorkflowDefinition['params']> = {
      strategy: {},
      a: { type: 'number', default: 'x' },
      b: { required: true, default: 1 },
      c: { type: 'object', default: { x: 1 } },
      d: { type: 'array', default: {} },
      e: { type: 'object', default: [] },
      f: { default: null },
      g: { type: 'boolean', default: true },
    };
    expect(faultsOf({ s: task() }, { params })).toEqual([
      '/params/strategy: is reserved: every order has it',
      '/params/a/default: is no number',
      '/params/b/default: a required param needs no default',
      '/params/d/default: is no array',
      '/params/e/default: is no object',
    ]);
  });

  test('once declared, params are known by name', () => {
    const steps: { [name: string]: WorkflowStep } = {
      a: task({ if: 'params.x && params.y && params.strategy == strategy && size(params) > 0' }),
      b: { workflow: { param: 'z' } },
      c: { workflow: { param: 'x' } },
    };
    expect(faultsOf(steps)).toEqual([]);
    expect(faultsOf(steps, { params: { x: {} } })).toEqual([
      "b/workflow/param: there is no param 'z'",
      "a/if: there is no param 'y'",
    ]);
  });
});

describe('needs', () => {
  test('an edge is one that the step can take', () => {
    const steps: { [name: string]: WorkflowStep } = {
      ask: { wait: { for: 'approval' } },
      call: { wait: { for: 'callback', timeout: '1h' } },
      time: { wait: { for: 'time', after: '1h' } },
      work: task(),
      good: task({ needs: ['ask:approve', 'ask:edit', 'call:timeout'] }),
      bad: task({ needs: ['ask:timeout', 'call:reject', 'time:timeout', 'work:approve', 'none:approve'] }),
      twice: task({ needs: ['call', 'ask:edit', 'call:timeout'] }),
    };
    expect(faultsOf(steps)).toEqual([
      "bad/needs/0: step 'ask' has no timeout",
      "bad/needs/1: step 'call' waits for a callback: it has no reject",
      "bad/needs/2: step 'time' has no edges: it waits for no answer",
      "bad/needs/3: step 'work' has no edges: it waits for no answer",
      "bad/needs/4: there is no step 'none'",
      "twice/needs/2: 'call' is needed already, however it ends well: name it alone, or by its edges",
    ]);
    delete steps['bad'];
    delete steps['twice'];
    const result = compileWorkflow({ steps });
    expect(result.ok && result.workflow.steps.find(({ name }) => name === 'good')).toMatchObject({
      needs: ['ask', 'call'],
      edges: { ask: ['approve', 'edit'], call: ['timeout'] },
    });
  });

  test('a fallback stands in for one step, needs no more than it, and nobody needs it', () => {
    expect(
      faultsOf(
        {
          root: task(),
          a: task({ needs: ['root'], onError: { fallback: 'f' } }),
          b: task({ onError: { fallback: 'f' } }),
          f: task({ needs: ['root'] }),
          user: task({ needs: ['f'] }),
          lost: task({ onError: { fallback: 'nowhere' } }),
          self: task({ onError: { fallback: 'self' } }),
        },
        { output: 'f' },
      ),
    ).toEqual([
      "a/onError/fallback: 'f' is also the fallback of 'b'",
      "a/onError/fallback: 'user' may not need 'f': its result stands for that of 'a'",
      "a/onError/fallback: 'f' cannot be the output: its result stands for that of 'a'",
      "b/onError/fallback: 'f' is also the fallback of 'a'",
      "b/onError/fallback: 'f' may need only what 'b' needs, not 'root'",
      "b/onError/fallback: 'user' may not need 'f': its result stands for that of 'b'",
      "b/onError/fallback: 'f' cannot be the output: its result stands for that of 'b'",
      "lost/onError/fallback: there is no step 'nowhere'",
      'self/needs: these steps wait for each other: self → self',
    ]);
  });

  test('a fallback comes behind its step and is no output of its own', () => {
    const result = compileWorkflow({
      steps: { f: task({ with: 'steps.a.error.message' }), a: task({ onError: { fallback: 'f' } }), b: task() },
    });
    expect(result).toMatchObject({
      ok: true,
      workflow: { outputs: ['a', 'b'], steps: [{ name: 'a' }, { name: 'b' }, { name: 'f', fallbackFor: 'a' }] },
    });
  });
});

describe('expressions', () => {
  const steps = (step: Partial<WorkflowStep>): { [name: string]: WorkflowStep } => ({
    first: task({ onError: { fallback: 'instead' } }),
    instead: task(),
    'add-2': { wait: { for: 'approval' }, needs: ['first'] },
    side: task(),
    x: task({ needs: ['add-2'], ...step }),
  });
  const faults = (source: string): string[] => faultsOf(steps({ if: source }));

  test('a step sees what it needs, directly and indirectly, and what stood in for that', () => {
    expect(faults('steps.first.result == 1 || steps["add-2"].outcome == "edit" || steps.instead.state == ""')).toEqual(
      [],
    );
    expect(faults('steps.side.result == 1 && steps.x.state == ""')).toEqual([
      "x/if: step 'side' has not ended by then: it is not needed",
      "x/if: step 'x' has not ended by then: it is not needed",
    ]);
    expect(
      faultsOf({
        instead: task({ with: 'steps.a.error' }),
        a: task({ onError: { fallback: 'instead' }, with: 'steps.instead.result' }),
      }),
    ).toEqual(["a/with: step 'instead' has not ended by then: it is not needed"]);
  });

  test('every unknown name is told', () => {
    expect(faults('inptu == 1 && each.item && client == "x"')).toEqual([
      "x/if: there is no 'inptu' here: there is input, params, strategy, steps",
      "x/if: there is no 'each' here: only under forEach",
      "x/if: there is no 'client' here: there is input, params, strategy, steps",
    ]);
    expect(faults('steps.add - 2 == 0 && steps.none.state == ""')).toEqual([
      'x/if: there is no step \'add\'; a name with a dash is written steps["add-2"]',
      "x/if: there is no step 'none'",
    ]);
    expect(faults('steps.first.reslt == 1 && steps.first.outcome == 1 && size(steps.first) > 0')).toEqual([
      "x/if: a step has no 'reslt': it has result, state, error, outcome",
      "x/if: step 'first' has no outcome: it does not wait",
    ]);
    expect(faults('size(steps) > 1 && steps[input].state == ""')).toEqual([
      'x/if: a step is named in the expression itself: steps.name or steps["na-me"]',
    ]);
    expect(faults('type(input) == string')).toEqual([]);
    expect(faults('1 +')).toEqual(['x/if: is not CEL: it cannot be read on from character 3']);
  });

  test('needs that do not exist are told once', () => {
    expect(faultsOf({ a: task({ needs: ['none'], if: 'input' }) })).toEqual(["a/needs/0: there is no step 'none'"]);
  });

  test('under forEach there is each, as far as it is known in its place', () => {
    const forEach = {
      items: 'input.list',
      key: 'each.item.id + each.key',
      related: { up: '[each.key, each.related]' },
      max: 1,
    };
    expect(
      faultsOf(
        steps({
          forEach,
          if: 'each.index > 0 && size(each) > 1',
          with: { a: ['each.related.up', 'each.related.down', 'each.itme'] },
        }),
      ),
    ).toEqual([
      "x/with/a/1: there is no relation 'down'",
      "x/with/a/2: each has no 'itme': it has item, index, key, items, related",
      "x/forEach/key: each has no 'key' here: it has item, index, items",
      "x/forEach/related/up: each has no 'related' here: it has item, index, key, items",
    ]);
    expect(faultsOf(steps({ forEach: 'each.item', with: 'each.related.up + foo' }))).toEqual([
      "x/with: each has no 'related' here: it has item, index, key, items",
      "x/with: there is no 'foo' here: there is input, params, strategy, steps, each",
      "x/forEach: there is no 'each' here: only under forEach",
    ]);
  });

  test('params of a workflow, times and keys are expressions too', () => {
    expect(
      faultsOf(
        { a: { workflow: 'w', params: { x: 'foo', y: 1 } }, b: { wait: { for: 'time', until: 'bar' } } },
        { concurrency: { max: 1, key: 'client + steps.a.result' } },
      ),
    ).toEqual([
      "a/params/x: there is no 'foo' here: there is input, params, strategy, steps",
      "b/wait/until: there is no 'bar' here: there is input, params, strategy, steps",
      "/concurrency/key: there is no 'steps' here: there is input, params, strategy, client",
    ]);
    expect(faultsOf({ a: task() }, { concurrency: { max: 1 } })).toEqual([]);
  });
});
