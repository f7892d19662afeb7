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
    const params = { add: i, fate: roll < 0.08 ? 'error' : roll < 0.12 ? 'flaky' : 'completed' };
    const step: TaskStep = scriptedStep(needs, params);
    if (random() < 0.2) step.if = `input % 4 != ${i % 4}`;
    if (random() < 0.2) step.with = { x: `input + ${i}` };
    if (random() < 0.2) step.onError = 'continue';
    plan.steps[`s${i}`] = step;
    const before = plan.steps[`s${i - 1}`] as TaskStep | undefined;
    if (before && !before.onError && !needs.includes(`s${i - 1}`) && random() < 0.3) {
      before.onError = { fallback: `s${i}` };
      Object.assign(step, { fallbackFor: `s${i - 1}`, needs: before.needs });
    }
  }
  return plan;
}

const total = (value: JsonValue): number =>
  typeof value === 'number'
    ? value
    : Object.values(value ?? {}).reduce<number>((sum, v) => sum + total(v as JsonValue), 0);

interface Expected {
  states: Record<string, StepState>;
  result: JsonValue;
  state: string;
}

/** What must become of each step and of the order, straight from the rules: each step asks its needs. */
function model(plan: Plan, input: number): Expected {
  const states: Record<string, StepState> = {};
  const results: Record<string, number> = {};
  const end = (name: string, softly: boolean): { end: 'met' | 'skipped' | 'failed'; result?: number } => {
    const state = (states[name] ??= decide(name));
    if (state === 'completed') return { end: 'met', result: results[name] as number };
    if (state === 'skipped') return { end: 'skipped' };
    const onError = plan.steps[name]?.onError;
    if (state !== 'error' || onError === undefined) return { end: 'failed' };
    if (onError === 'continue') return { end: softly ? 'skipped' : 'failed' };
    const instead = end(onError.fallback, softly);
    return states[onError.fallback] === 'skipped' ? { end: 'failed' } : instead;
  };
  const decide = (name: string): StepState => {
    const step = plan.steps[name] as TaskStep;
    const { fate, add } = step.params as { fate: string; add: number };
    if (step.fallbackFor !== undefined) {
      states[step.fallbackFor] ??= decide(step.fallbackFor);
      if (states[step.fallbackFor] !== 'error') return 'skipped';
    }
    const needs = step.needs.map((need) => end(need, true));
    if (needs.some((need) => need.end === 'failed')) return 'blocked';
    if (needs.length > 0 && needs.every((need) => need.end === 'skipped')) return 'skipped';
    if (step.if !== undefined && input % 4 === add % 4) return 'skipped';
    if (fate === 'error') return 'error';
    const given = needs.length === 0 ? input : needs.reduce((sum, { result = 0 }) => sum + result, 0);
    results[name] = (step.with === undefined ? given : input + add) + add;
    return 'completed';
  };
  for (const name of Object.keys(plan.steps)) states[name] ??= decide(name);
  const output = end(plan.outputs[0] as string, false);
  const done = output.end !== 'failed';
  return { states, result: done ? (output.result ?? null) : null, state: done ? 'completed' : 'failed' };
}

describe('a thousand random orders with conditions, failures and fallbacks, over two replicas', () => {
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
