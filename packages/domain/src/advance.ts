import { isEnded, type EndedJobState, type JsonValue, type Progress, type StepState } from '@connecta/contracts';
import type { CompiledPlan, PlannedStep } from './plan.ts';

/** What follows from steps that ended: the order's new progress, and the steps to invoke now. */
export interface Advance {
  progress: Progress;
  /** Steps whose needs have all ended, none of them in a way that blocks. */
  ready: string[];
  /** Steps that will never run, each with the ended steps it needed and did not get. */
  stopped: { step: string; state: 'blocked' | 'skipped'; because: string[] }[];
  /** Set when no step is left to run. */
  outcome: 'completed' | 'failed' | null;
}

/** The first move of an order: its roots are ready. */
export function begin(plan: CompiledPlan): Advance {
  return settle(plan, {}, [...plan.roots], []);
}

/**
 * The move after some steps ended. Steps that had ended before are passed over, so that applying the same ends twice
 * changes nothing the second time.
 */
export function advance(plan: CompiledPlan, before: Progress, ended: ReadonlyMap<string, EndedJobState>): Advance {
  const progress: Progress = { ...before };
  const fresh: string[] = [];
  for (const [step, state] of ended) {
    if (!plan.steps.has(step) || hasEnded(progress[step])) continue;
    progress[step] = state;
    fresh.push(step);
  }
  const ready: string[] = [];
  const stopped: Advance['stopped'] = [];
  for (let step = fresh.shift(); step !== undefined; step = fresh.shift()) {
    for (const name of plan.dependents.get(step) as readonly string[]) {
      const verdict = judge(plan.steps.get(name) as PlannedStep, progress[name], progress);
      if (verdict === 'wait') continue;
      if (verdict === 'ready') {
        progress[name] = 'invoked';
        ready.push(name);
        continue;
      }
      progress[name] = verdict.state;
      stopped.push({ step: name, ...verdict });
      fresh.push(name);
    }
  }
  return settle(plan, progress, ready, stopped);
}

/**
 * The move of an order in which something was forgotten: every step whose needs have ended and that has not begun. Roots
 * begin with the order and cannot be forgotten.
 */
export function resume(plan: CompiledPlan, before: Progress): Advance {
  const forgotten = [...plan.steps].filter(
    ([name, step]) => step.needs.length > 0 && judge(step, before[name], before) === 'ready',
  );
  return settle(
    plan,
    { ...before },
    forgotten.map(([name]) => name),
    [],
  );
}

/** A step's input without `with`: a root gets the order's, one need its result, several an object keyed by step. */
export function inputOf(
  step: PlannedStep,
  orderInput: JsonValue,
  resultOf: (step: string) => JsonValue | undefined,
): JsonValue {
  const [only, ...more] = step.needs;
  if (only === undefined) return orderInput;
  if (more.length === 0) return resultOf(only) ?? null;
  return keyed(step.needs, resultOf);
}

/** An order's result: its one output's, or an object keyed by output; a skipped output's is null. */
export function resultOfOrder(plan: CompiledPlan, resultOf: (step: string) => JsonValue | undefined): JsonValue {
  const [only, ...more] = plan.outputs;
  return only !== undefined && more.length === 0 ? (resultOf(only) ?? null) : keyed(plan.outputs, resultOf);
}

/** The steps whose own end keeps an order's outputs from completing: those that failed, not those that they blocked. */
export function causesOfFailure(plan: CompiledPlan, progress: Progress): string[] {
  const causes = new Set<string>();
  const seen = new Set<string>();
  const open = plan.outputs.filter((step) => blocks(progress[step]));
  for (let step = open.shift(); step !== undefined; step = open.shift()) {
    if (seen.has(step)) continue;
    seen.add(step);
    if (progress[step] !== 'blocked') causes.add(step);
    else open.push(...(plan.steps.get(step) as PlannedStep).needs.filter((need) => blocks(progress[need])));
  }
  return [...causes];
}

type Verdict = 'wait' | 'ready' | { state: 'blocked' | 'skipped'; because: string[] };

function judge(step: PlannedStep, state: StepState | undefined, progress: Progress): Verdict {
  if (state !== undefined) return 'wait';
  if (step.needs.some((need) => !hasEnded(progress[need]))) return 'wait';
  const failed = step.needs.filter((need) => blocks(progress[need]));
  if (failed.length > 0) return { state: 'blocked', because: failed };
  const allSkipped = step.needs.length > 0 && step.needs.every((need) => progress[need] === 'skipped');
  return allSkipped ? { state: 'skipped', because: [...step.needs] } : 'ready';
}

function settle(plan: CompiledPlan, progress: Progress, ready: string[], stopped: Advance['stopped']): Advance {
  for (const step of ready) progress[step] = 'invoked';
  return { progress, ready, stopped, outcome: ready.length > 0 ? null : outcomeOf(plan, progress) };
}

function outcomeOf(plan: CompiledPlan, progress: Progress): Advance['outcome'] {
  for (const step of plan.steps.keys()) if (!hasEnded(progress[step])) return null;
  return plan.outputs.some((step) => blocks(progress[step])) ? 'failed' : 'completed';
}

function hasEnded(state: StepState | undefined): boolean {
  return state !== undefined && (state === 'blocked' || isEnded(state));
}

function blocks(state: StepState | undefined): boolean {
  return state === 'error' || state === 'blocked' || state === 'cancelled';
}

function keyed(steps: readonly string[], resultOf: (step: string) => JsonValue | undefined): JsonValue {
  const object: { [step: string]: JsonValue } = {};
  for (const step of steps) {
    const result = resultOf(step);
    if (result !== undefined) object[step] = result;
  }
  return object;
}
