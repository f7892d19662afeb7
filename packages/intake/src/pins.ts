import { Problem, type Fault, type WorkflowOrderStep, type WorkflowTaskStep } from '@connecta/contracts';
import {
  behaviourOf,
  coreOf,
  plannedCache,
  plannedWait,
  type OrderStep,
  type Plan,
  type StepCore,
  type TaskStep,
} from '@connecta/domain';
import type { ProfileFact, WantedPlan } from '@connecta/store';
import { closeMatches } from './close-matches.ts';
import type { Facts } from './facts.ts';
import { sha256, type Runnable } from './runnable.ts';
import type { SubPlan } from './sub-plans.ts';

/** An alias may stand for another alias, so many times. */
const MAX_ALIASES = 5;

export type Pins = ReadonlyMap<string, ProfileFact>;

/** The profile of every task, aliases followed; a problem when some do not exist; undefined when facts are missing. */
export function pinTasks(runnable: Runnable, facts: Facts): Pins | Problem | undefined {
  const pins = new Map<string, ProfileFact>();
  const unknown: { task: string; step: string }[] = [];
  let complete = true;
  for (const { name, step } of runnable.compiled.steps) {
    if (!('uses' in step)) continue;
    const profile = findProfile(step.uses, facts);
    if (profile === undefined) complete = false;
    else if (profile === null) unknown.push({ task: step.uses, step: name });
    else pins.set(name, profile);
  }
  if (!complete) return undefined;
  return unknown.length === 0 ? pins : unknownTasks(unknown, runnable, facts);
}

/** The profile that a task leads to; null when there is none; undefined when facts are missing. */
export function findProfile(task: string, facts: Facts): ProfileFact | null | undefined {
  let at = task;
  for (let hops = 0; hops <= MAX_ALIASES; hops++) {
    const profile = facts.profile(at);
    if (!profile?.aliasOf) return profile;
    at = profile.aliasOf;
  }
  return null;
}

/** Says of a task that does not exist what was meant, perhaps. */
export function unknownTaskFault(task: string, path: string, taskNames: readonly string[]): Fault {
  const matches = closeMatches(task, taskNames);
  const hint = matches.length > 0 ? `; did you mean ${matches.map((match) => `'${match}'`).join(' or ')}?` : '';
  return { path, message: `there is no task '${task}'${hint}`, code: 'unknown_task' };
}

function unknownTasks(
  unknown: readonly { task: string; step: string }[],
  runnable: Runnable,
  facts: Facts,
): Problem | undefined {
  const names = facts.taskNames();
  if (!names) return undefined;
  const faults = unknown.slice(0, 50).map(({ task, step }) => unknownTaskFault(task, runnable.placeOf(step), names));
  return new Problem('unknown_task', faults.map((fault) => fault.message).join('; '), { faults });
}

/** The plan's name by its content: the workflow version and every pin. */
export function hashOfPlan(runnable: Runnable, pins: Pins, subs: ReadonlyMap<string, SubPlan>): string {
  let text = runnable.hash;
  for (const [step, { id, revision, behaviour }] of pins) text += `\n${step} ${id} ${revision}${pinned(behaviour)}`;
  for (const [step, { planId, params }] of subs) text += `\n${step} runs ${planId} ${JSON.stringify(params)}`;
  return sha256(text);
}

/** What of a function the steps of a plan take over, as text. */
function pinned(behaviour: ProfileFact['behaviour']): string {
  const { version, cacheable, timers, retry, offline } = behaviour ?? {};
  const name = version === undefined ? '' : ` ${version}${cacheable === true ? ' cacheable' : ''}`;
  return timers || retry || offline ? `${name} ${JSON.stringify([timers, retry, offline])}` : name;
}

/** The plan of a workflow whose tasks and inner workflows are pinned. */
export function planOf({
  runnable,
  pins,
  subs,
  hash,
}: {
  runnable: Runnable;
  pins: Pins;
  subs: ReadonlyMap<string, SubPlan>;
  hash: string;
}): WantedPlan {
  const steps: Plan['steps'] = {};
  for (const compiled of runnable.compiled.steps) {
    const { name, step } = compiled;
    const core = coreOf(compiled);
    if ('uses' in step) steps[name] = { kind: 'task', ...core, ...taskOf(step, pins.get(name) as ProfileFact) };
    else if ('wait' in step) steps[name] = { kind: 'wait', ...core, wait: plannedWait(step) };
    else steps[name] = { kind: 'order', ...core, ...orderOf(step, subs.get(name) as SubPlan) };
  }
  return { hash, plan: { steps, outputs: runnable.compiled.outputs }, workflow: runnable.workflow };
}

function taskOf(step: WorkflowTaskStep, profile: ProfileFact): Omit<TaskStep, 'kind' | keyof StepCore> {
  const { behaviour } = profile;
  return {
    uses: step.uses,
    workerType: profile.workerType,
    function: profile.function,
    profileId: profile.id,
    profileRevision: profile.revision,
    ...(step.params ? { params: step.params } : {}),
    ...(behaviour?.version === undefined ? {} : { functionVersion: behaviour.version }),
    ...(behaviour?.cacheable === true ? { cacheable: true } : {}),
    ...behaviourOf(step, behaviour ?? {}),
    ...(step.cache ? { cache: plannedCache(step.cache) } : {}),
  };
}

function orderOf({ params }: WorkflowOrderStep, sub: SubPlan): Omit<OrderStep, 'kind' | keyof StepCore> {
  const all = { ...sub.params, ...params };
  return { workflow: sub.shown, planId: sub.planId, ...(Object.keys(all).length > 0 ? { params: all } : {}) };
}
