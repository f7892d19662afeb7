import { type EndedJobState, type JsonValue, type Progress, type SkipReason } from '@connecta/contracts';
import { blocks, hasEnded, hasFailed, judge, standInFor, withAnswers, type Outcomes } from './needs.ts';
import type { CompiledPlan, PlannedStep } from './plan.ts';

/** What follows from steps that ended: the order's new progress, and the steps to invoke now. */
export interface Advance {
  progress: Progress;
  /** Steps whose needs have all ended, none of them in a way that blocks. */
  ready: string[];
  /** Steps that will never run, each with the ended steps it needed and did not get. */
  stopped: Stopped[];
  /** Set when no step is left to run. */
  outcome: 'completed' | 'failed' | null;
}

/** A step that will never run; `reason` where it is not only for its needs. */
export interface Stopped {
  step: string;
  state: 'blocked' | 'skipped';
  because: string[];
  reason?: SkipReason;
}

const NO_OUTCOMES: Outcomes = new Map();

/** The first move of an order: its roots are ready. */
export function begin(plan: CompiledPlan): Advance {
  return settle(plan, {}, [...plan.roots], []);
}

/**
 * The move after some steps ended, `outcomes` being the edges that waits among them took. Steps that had ended before are
 * passed over, so that applying the same ends twice changes nothing the second time.
 */
export function advance(
  plan: CompiledPlan,
  before: Progress,
  ended: ReadonlyMap<string, EndedJobState>,
  outcomes: Outcomes = NO_OUTCOMES,
): Advance {
  const progress: Progress = { ...before };
  const fresh: string[] = [];
  for (const [step, state] of ended) {
    if (!plan.steps.has(step) || hasEnded(progress[step])) continue;
    progress[step] = state;
    fresh.push(step);
  }
  const ways = withAnswers(plan, outcomes, { steps: fresh, progress });
  const ready: string[] = [];
  const stopped: Stopped[] = [];
  for (let step = fresh.shift(); step !== undefined; step = fresh.shift()) {
    for (const name of plan.dependents.get(step) as readonly string[]) {
      const verdict = judge(plan, name, progress, ways);
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
  const roots = new Set(plan.roots);
  const forgotten = [...plan.steps.keys()].filter(
    (name) => !roots.has(name) && judge(plan, name, before, NO_OUTCOMES) === 'ready',
  );
  return settle(plan, { ...before }, forgotten, []);
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
  const open = plan.outputs.filter((step) => hasFailed(plan, step, progress));
  for (let step = open.shift(); step !== undefined; step = open.shift()) {
    const name = standInFor(plan, step, progress);
    if (seen.has(name)) continue;
    seen.add(name);
    const { needs, fallbackFor } = plan.steps.get(name) as PlannedStep;
    if (progress[name] === 'blocked') open.push(...needs.filter((need) => blocks(plan, need, progress)));
    else causes.add(progress[name] === 'skipped' ? (fallbackFor as string) : name);
  }
  return [...causes];
}

function settle(plan: CompiledPlan, progress: Progress, ready: string[], stopped: Stopped[]): Advance {
  for (const step of ready) progress[step] = 'invoked';
  return { progress, ready, stopped, outcome: ready.length > 0 ? null : outcomeOf(plan, progress) };
}

function outcomeOf(plan: CompiledPlan, progress: Progress): Advance['outcome'] {
  for (const step of plan.steps.keys()) if (!hasEnded(progress[step])) return null;
  return plan.outputs.some((step) => hasFailed(plan, step, progress)) ? 'failed' : 'completed';
}

function keyed(steps: readonly string[], resultOf: (step: string) => JsonValue | undefined): JsonValue {
  const object: { [step: string]: JsonValue } = {};
  for (const step of steps) {
    const result = resultOf(step);
    if (result !== undefined) object[step] = result;
  }
  return object;
}
