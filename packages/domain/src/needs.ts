import { isEnded, type Edge, type Progress, type SkipReason, type StepState } from '@connecta/contracts';
import type { CompiledPlan, PlannedStep } from './plan.ts';

/** What becomes of a step by its needs: it waits for them, is ready, or will never run. */
export type Verdict =
  | 'wait'
  | 'ready'
  | { state: 'blocked'; because: string[] }
  | { state: 'skipped'; because: string[]; reason?: SkipReason };

/** How a step ended for whoever needs it: `skipped` leaves its result out, `failed` blocks. */
type End = 'open' | 'met' | 'skipped' | 'failed';

/** The way out that a wait has taken: an edge, or that it was answered, which is none that a step could need alone. */
type Way = Edge | 'answer';

/** The edges that waits have taken, by step. */
export type Outcomes = ReadonlyMap<string, Way>;

/** A need without an edge is met by these. */
const PLAIN: readonly Way[] = ['approve', 'edit', 'answer'];

/** With the waits among these steps that completed without an edge: they were answered. */
export function withAnswers(
  plan: CompiledPlan,
  outcomes: Outcomes,
  { steps, progress }: { steps: Iterable<string>; progress: Progress },
): Outcomes {
  const ways = new Map(outcomes);
  for (const name of steps) {
    const isAnswered = plan.steps.get(name)?.kind === 'wait' && progress[name] === 'completed' && !ways.has(name);
    if (isAnswered) ways.set(name, 'answer');
  }
  return ways;
}

/** Decides on one step. What an edge that was not taken keeps from running is decided when the wait ends, and never later. */
export function judge(plan: CompiledPlan, name: string, progress: Progress, outcomes: Outcomes): Verdict {
  const step = plan.steps.get(name) as PlannedStep;
  if (progress[name] !== undefined) return 'wait';
  const untaken = untakenNeeds(step, outcomes);
  if (untaken.length > 0) return { state: 'skipped', because: untaken, reason: 'edge' };
  const { fallbackFor } = step;
  if (fallbackFor !== undefined) {
    if (!hasEnded(progress[fallbackFor])) return 'wait';
    if (progress[fallbackFor] !== 'error') return { state: 'skipped', because: [fallbackFor], reason: 'fallback' };
  }
  const failed: string[] = [];
  let skipped = 0;
  for (const need of step.needs) {
    const end = endForOthers(plan, need, progress);
    if (end === 'open') return 'wait';
    if (end === 'failed') failed.push(need);
    if (end === 'skipped') skipped += 1;
  }
  if (failed.length > 0) return { state: 'blocked', because: failed };
  if (skipped > 0 && skipped === step.needs.length) return { state: 'skipped', because: [...step.needs] };
  return 'ready';
}

/** The step whose result stands for a step's: its fallback, and that one's, where it ended in error. */
export function standInFor(plan: CompiledPlan, step: string, progress: Progress): string {
  let at = step;
  for (;;) {
    const onError = plan.steps.get(at)?.onError;
    if (progress[at] !== 'error' || typeof onError !== 'object') return at;
    at = onError.fallback;
  }
}

/** Whether a step, or what stands in for it, ended in a way that leaves no result where one must be. */
export function hasFailed(plan: CompiledPlan, step: string, progress: Progress): boolean {
  return endOf(plan, step, progress) === 'failed';
}

/** True of a step that will not move any more. */
export function hasEnded(state: StepState | undefined): boolean {
  return state !== undefined && (state === 'blocked' || isEnded(state));
}

/** True of a need that blocks the steps behind it. */
export function blocks(plan: CompiledPlan, need: string, progress: Progress): boolean {
  return endForOthers(plan, need, progress) === 'failed';
}

/** The needs of a step of which a wait took another edge: it will never run. */
export function untakenNeeds(step: PlannedStep, outcomes: Outcomes): string[] {
  return step.needs.filter((need) => !isMet(step.edges?.[need], outcomes.get(need)));
}

function isMet(edges: readonly Way[] = PLAIN, taken: Way | undefined): boolean {
  return taken === undefined || edges.includes(taken);
}

function endForOthers(plan: CompiledPlan, need: string, progress: Progress): End {
  const name = standInFor(plan, need, progress);
  const goesOn = progress[name] === 'error' && plan.steps.get(name)?.onError === 'continue';
  return goesOn ? 'skipped' : endOf(plan, need, progress);
}

function endOf(plan: CompiledPlan, step: string, progress: Progress): End {
  const name = standInFor(plan, step, progress);
  const state = progress[name];
  if (!hasEnded(state)) return 'open';
  if (state === 'completed') return 'met';
  // A fallback that did not run leaves the error standing.
  return state === 'skipped' && name === step ? 'skipped' : 'failed';
}
