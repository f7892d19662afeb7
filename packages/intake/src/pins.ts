import { Problem, type Fault } from '@connecta/contracts';
import { behaviourOf, coreOf, plannedCache, type Plan } from '@connecta/domain';
import type { ProfileFact, WantedPlan } from '@connecta/store';
import { closeMatches } from './closeMatches.ts';
import type { Facts } from './facts.ts';
import { sha256, type Runnable } from './runnable.ts';

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
export function hashOfPlan(runnable: Runnable, pins: Pins): string {
  let text = runnable.hash;
  for (const [step, { id, revision, behaviour }] of pins) text += `\n${step} ${id} ${revision}${pinned(behaviour)}`;
  return sha256(text);
}

/** What of a function the steps of a plan take over, as text. */
function pinned(behaviour: ProfileFact['behaviour']): string {
  const { version, cacheable, timers, retry, offline } = behaviour ?? {};
  const name = version === undefined ? '' : ` ${version}${cacheable === true ? ' cacheable' : ''}`;
  return timers || retry || offline ? `${name} ${JSON.stringify([timers, retry, offline])}` : name;
}

export function planOf(runnable: Runnable, pins: Pins, hash: string): WantedPlan {
  const steps: Plan['steps'] = {};
  for (const compiled of runnable.compiled.steps) {
    const { name, step } = compiled;
    if (!('uses' in step)) continue;
    const profile = pins.get(name) as ProfileFact;
    steps[name] = {
      kind: 'task',
      ...coreOf(compiled),
      uses: step.uses,
      workerType: profile.workerType,
      function: profile.function,
      profileId: profile.id,
      profileRevision: profile.revision,
      ...(step.params ? { params: step.params } : {}),
      ...(profile.behaviour?.version === undefined ? {} : { functionVersion: profile.behaviour.version }),
      ...(profile.behaviour?.cacheable === true ? { cacheable: true } : {}),
      ...behaviourOf(step, profile.behaviour ?? {}),
      ...(step.cache ? { cache: plannedCache(step.cache) } : {}),
    };
  }
  return { hash, plan: { steps, outputs: runnable.compiled.outputs }, workflow: runnable.workflow };
}
