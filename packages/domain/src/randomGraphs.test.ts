import { expect, test } from '@jest/globals';
import type { EndedJobState, ProfileId, StepState } from '@connecta/contracts';
import { advance, begin, type Advance } from './advance.ts';
import { compilePlan, type Plan, type PlannedStep } from './plan.ts';

/** A small seeded generator (mulberry32): the same graphs on every machine. */
function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Case {
  plan: Plan;
  /** How each step ends when it runs. */
  fate: Map<string, EndedJobState>;
}

function randomCase(random: () => number): Case {
  const size = 1 + Math.floor(random() * 14);
  const plan: Plan = { steps: {}, outputs: [] };
  const fate = new Map<string, EndedJobState>();
  for (let i = 0; i < size; i++) {
    const needs = Array.from({ length: i }, (_, n) => `s${n}`).filter(() => random() < 2.2 / Math.max(i, 1));
    const step: PlannedStep = {
      kind: 'task',
      uses: 'g/x',
      workerType: 'g',
      function: 'x',
      profileId: 'p' as ProfileId,
      profileRevision: 1,
      needs,
    };
    plan.steps[`s${i}`] = step;
    const roll = random();
    fate.set(`s${i}`, roll < 0.12 ? 'error' : roll < 0.22 ? 'skipped' : 'completed');
  }
  const names = Object.keys(plan.steps);
  plan.outputs = names.filter((_, i) => i === size - 1 || random() < 0.2);
  return { plan, fate };
}

/** What must become of every step: straight from the rules, one pass in topological order. */
function model({ plan, fate }: Case): Map<string, StepState> {
  const states = new Map<string, StepState>();
  for (const [name, step] of Object.entries(plan.steps)) {
    const needs = step.needs.map((need) => states.get(need));
    if (needs.some((state) => state === 'error' || state === 'blocked')) states.set(name, 'blocked');
    else if (needs.length > 0 && needs.every((state) => state === 'skipped')) states.set(name, 'skipped');
    else states.set(name, fate.get(name) as StepState);
  }
  return states;
}

/** Runs a case by `advance`, ending random handfuls of the running steps, in random order. */
function simulate({ plan, fate }: Case, random: () => number): { last: Advance; runs: string[] } {
  const compiled = compilePlan(plan);
  let last = begin(compiled);
  const runs = [...last.ready];
  const running = [...last.ready];
  while (running.length > 0) {
    const ended = new Map<string, EndedJobState>();
    const handful = 1 + Math.floor(random() * running.length);
    for (let i = 0; i < handful; i++) {
      const [step] = running.splice(Math.floor(random() * running.length), 1);
      ended.set(step as string, fate.get(step as string) as EndedJobState);
    }
    expect(last.outcome).toBeNull();
    last = advance(compiled, last.progress, ended);
    runs.push(...last.ready);
    running.push(...last.ready);
    expect(advance(compiled, last.progress, ended)).toMatchObject({ ready: [], stopped: [] });
  }
  return { last, runs };
}

test('two thousand random graphs with random failures end as the rules say, however their ends arrive', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = randomOf(seed);
    const it = randomCase(random);
    const expected = model(it);
    const { last, runs } = simulate(it, random);
    const outcome = it.plan.outputs.some((step) => ['error', 'blocked'].includes(expected.get(step) as string))
      ? 'failed'
      : 'completed';
    expect({ seed, progress: last.progress, outcome: last.outcome }).toEqual({
      seed,
      progress: Object.fromEntries(expected),
      outcome,
    });
    expect(new Set(runs).size).toBe(runs.length);
  }
});
