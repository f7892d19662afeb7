import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue, OrderId } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import { expectConsistent } from './direct.ts';
import { Harness, scriptedStep, type Script } from './harness.ts';

describe('conditions, mappings and errors', () => {
  let harness: Harness;
  const script: Script = ({ data }) => {
    const { fate } = (data.params ?? {}) as { fate?: string };
    const error = { kind: 'permanent', code: 'scripted', message: 'as told' } as const;
    return Promise.resolve(fate === 'error' ? { error } : { value: data.value ?? null });
  };
  const step = (needs: string[], more: Partial<PlannedStep> = {}, params = {}): PlannedStep =>
    ({ ...scriptedStep(needs, params), ...more }) as PlannedStep;
  const run = async (steps: Record<string, PlannedStep>, output: string, input: JsonValue) => {
    const planId = await harness.plan({ steps, outputs: [output] });
    const [id] = (await harness.accept([{ planId, input }])) as [OrderId];
    await harness.ended([id]);
    await expectConsistent(harness, id);
    const { state, progress, result, error } = await harness.store.prisma.order.findUniqueOrThrow({ where: { id } });
    return { id, state, progress, result, error };
  };
  const history = async (id: OrderId) => (await harness.history(id)).filter((event) => event.type !== 'order');

  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    await harness.orchestrator();
    harness.worker('scripted', script);
  });
  afterAll(() => harness.close());

  test('a step whose condition is false is skipped, with the reason in the history, and what only needs it too', async () => {
    const order = await run(
      {
        a: step([]),
        big: step(['a'], { if: 'steps.a.result > 10' }),
        behind: step(['big']),
        small: step(['a'], { if: 'steps.a.result <= 10 && input == 5' }),
        join: step(['behind', 'small']),
      },
      'join',
      5,
    );
    const progress = { a: 'completed', big: 'skipped', behind: 'skipped', small: 'completed', join: 'completed' };
    expect(order).toMatchObject({ state: 'completed', progress, result: { small: 5 } });
    expect(await history(order.id)).toContainEqual({
      ...{ type: 'step', step: 'big', state: 'skipped', because: [], reason: 'condition' },
    });
  });

  test('an order of whose output the condition is false has no result', async () => {
    expect(await run({ a: step([], { if: 'false' }) }, 'a', 1)).toMatchObject({ state: 'completed', result: null });
  });

  test('with makes the input, out of indirect needs too', async () => {
    const order = await run(
      {
        a: step([]),
        b: step(['a'], { with: { n: 'steps.a.result + 1', list: ['input', 'strategy', 7] } }),
        c: step(['b'], { with: '[steps.a.result, steps.b.result.n, steps.b.state]' }),
      },
      'c',
      5,
    );
    expect(order).toMatchObject({ state: 'completed', result: [5, 6, 'completed'] });
  });

  test('an expression that fails is the error of its step, and never true', async () => {
    const order = await run({ a: step([]), b: step(['a'], { if: 'steps.a.result.nothing' }) }, 'b', 5);
    expect(order).toMatchObject({ state: 'failed', progress: { b: 'error' } });
    const job = await harness.store.prisma.job.findFirst({ where: { orderId: order.id, step: 'b' } });
    expect(job).toMatchObject({ state: 'error', error: { kind: 'permanent', code: 'expression_failed' } });
    expect((job?.error as { message: string }).message).toContain('steps.b.if');
  });

  test('with continue an error leaves the result out; a condition can ask for it', async () => {
    const order = await run(
      {
        bad: step([], { onError: 'continue' }, { fate: 'error' }),
        a: step([]),
        told: step(['bad', 'a'], { if: 'steps.bad.state == "error"', with: 'steps.bad.error.code' }),
        join: step(['bad', 'a', 'told']),
      },
      'join',
      1,
    );
    expect(order).toMatchObject({ state: 'completed', result: { a: 1, told: 'scripted' } });
  });

  test('a fallback runs only after an error, and its result stands for the step that failed', async () => {
    const steps = (fate: string): Record<string, PlannedStep> => ({
      risky: step([], { onError: { fallback: 'safe' } }, { fate }),
      safe: step([], { fallbackFor: 'risky', with: '"safe"' }),
      after: step(['risky']),
    });
    expect(await run(steps('error'), 'after', 'x')).toMatchObject({
      ...{ state: 'completed', result: 'safe' },
      progress: { risky: 'error', safe: 'completed', after: 'completed' },
    });
    expect(await run(steps(''), 'after', 'x')).toMatchObject({
      ...{ state: 'completed', result: 'x' },
      progress: { risky: 'completed', safe: 'skipped', after: 'completed' },
    });
  });

  test('a fallback without needs gets the order input also when it begins late', async () => {
    const risky = step([], { onError: { fallback: 'safe' } }, { fate: 'error' });
    const order = await run({ risky, safe: step([], { fallbackFor: 'risky' }) }, 'risky', { n: 1 });
    expect(order).toMatchObject({ state: 'completed', result: { n: 1 } });
  });
});
