import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JsonValue, OrderId, StepState } from '@connecta/contracts';
import type { Plan, TaskStep } from '@connecta/domain';
import { Harness, scriptedStep, type Script } from './harness.ts';
import { replay } from './replay.ts';

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/** A random plan; a step's params say what its worker does. */
function randomPlan(random: () => number): Plan {
  const size = 1 + Math.floor(random() * 9);
  const plan: Plan = { steps: {}, outputs: [`s${size - 1}`] };
  for (let i = 0; i < size; i++) {
    const needs = Array.from({ length: i }, (_, n) => `s${n}`).filter(() => random() < 1.8 / Math.max(i, 1));
    const roll = random();
    plan.steps[`s${i}`] = scriptedStep(needs, {
      add: i,
      fate: roll < 0.08 ? 'error' : roll < 0.12 ? 'flaky' : 'completed',
    });
  }
  return plan;
}

const total = (value: JsonValue): number =>
  typeof value === 'number'
    ? value
    : Object.values(value as object).reduce<number>((sum, v) => sum + total(v as JsonValue), 0);

/** What must become of each step and of the order, straight from the rules. */
function model(
  plan: Plan,
  input: number,
): { states: Record<string, StepState>; result: JsonValue | null; state: string } {
  const states: Record<string, StepState> = {};
  const results: Record<string, number> = {};
  for (const [name, planned] of Object.entries(plan.steps)) {
    const step = planned as TaskStep;
    if (step.needs.some((need) => states[need] !== 'completed')) states[name] = 'blocked';
    else if (step.params?.['fate'] === 'error') states[name] = 'error';
    else {
      states[name] = 'completed';
      const given =
        step.needs.length === 0 ? input : step.needs.reduce((sum, need) => sum + (results[need] as number), 0);
      results[name] = given + (step.params?.['add'] as number);
    }
  }
  const output = plan.outputs[0] as string;
  const done = states[output] === 'completed';
  return { states, result: done ? (results[output] as number) : null, state: done ? 'completed' : 'failed' };
}

describe('a thousand random orders with random failures, over two replicas', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
  });
  afterAll(() => harness.close());

  test('end as the model says, with a legal history that replays to the database', async () => {
    const script: Script = ({ id, data }) => {
      const { fate, add } = data.params as { fate: string; add: number };
      const fails = fate === 'error' || (fate === 'flaky' && id.endsWith('-1'));
      const kind = fate === 'error' ? 'permanent' : 'retryable';
      return Promise.resolve(
        fails ? { error: { kind, code: 'scripted', message: 'as told' } } : { value: total(data.value ?? null) + add },
      );
    };
    for (let i = 0; i < 2; i++) await harness.orchestrator();
    harness.worker('scripted', script);
    harness.worker('scripted', script);
    const plans = Array.from({ length: 1000 }, (_, i) => randomPlan(randomOf(i + 1)));
    const planIds = await harness.planAll(plans);
    const cases = planIds.map((planId, i) => ({ planId, plan: plans[i] as Plan, input: i + 1 }));
    const ids = await harness.accept(cases);
    await harness.ended(ids);
    const rows = await harness.store.prisma.order.findMany({ where: { id: { in: ids } } });
    const byId = new Map(rows.map((row) => [row.id as OrderId, row]));
    const histories = await harness.histories(ids);
    for (const [i, id] of ids.entries()) {
      const { plan, input } = cases[i] as (typeof cases)[number];
      const order = byId.get(id);
      const expected = model(plan, input);
      const events = histories.get(id) ?? [];
      expect({ seed: i + 1, state: order?.state, progress: order?.progress, result: order?.result }).toEqual({
        seed: i + 1,
        state: expected.state,
        progress: expected.states,
        result: expected.result,
      });
      expect(order?.version).toBe(events.length);
      expect(replay(events)).toEqual({ order: expected.state, steps: expected.states });
    }
    expect(await harness.store.prisma.lateReport.count()).toBe(0);
  }, 120_000);
});
