import {
  parseTask,
  parseWorkflow,
  type Fault,
  type WorkflowDefinition,
  type WorkflowOrderStep,
} from '@connecta/contracts';
import { compileWorkflow, soundPart } from '@connecta/domain';
import type { Store } from '@connecta/store';
import { Facts } from './facts.ts';
import { checkGiven } from './params.ts';
import { findProfile, unknownTaskFault } from './pins.ts';
import { MAX_SUB_WORKFLOWS } from './sub-plans.ts';

/** Aliases lead to tasks, and workflows to workflows, each in a round of its own. */
const MAX_ROUNDS = 40;

type Validated = { definition: WorkflowDefinition; faults: [] } | { definition: null; faults: Fault[] };

/** Checks a workflow as for saving it (under `name`, when it names none itself): every fault at once. */
export async function validateWorkflow(store: Store, value: unknown, name?: string): Promise<Validated> {
  const parsed = parseWorkflow(value);
  if (parsed.ok) {
    const { definition } = parsed;
    const faults = await faultsOf(store, definition, name);
    return faults.length > 0 ? { definition: null, faults } : { definition, faults: [] };
  }
  const sound = soundPart(value, parsed.faults);
  const rest = sound && parseWorkflow(sound.value);
  const found = rest?.ok ? await faultsOf(store, rest.definition, name) : [];
  return { definition: null, faults: [...parsed.faults, ...found.filter((fault) => sound?.isReal(fault))] };
}

/** What of a workflow of the right shape does not hold together, or does not exist. */
async function faultsOf(store: Store, definition: WorkflowDefinition, name: string | undefined): Promise<Fault[]> {
  const compiled = compileWorkflow(definition);
  const facts = new Facts(store);
  return [
    ...(compiled.ok ? [] : compiled.faults),
    ...(await unknownTaskFaults(facts, definition)),
    ...(await workflowFaults(facts, definition, definition.name ?? name)),
  ];
}

async function unknownTaskFaults(facts: Facts, definition: WorkflowDefinition): Promise<Fault[]> {
  const uses = Object.entries(definition.steps)
    .flatMap(([name, step]) => ('uses' in step ? [{ step: name, task: step.uses }] : []))
    .filter(({ task }) => parseTask(task) !== null);
  await settle(facts, () => uses.every(({ task }) => findProfile(task, facts) !== undefined));
  const unknown = uses.filter(({ task }) => !findProfile(task, facts));
  if (unknown.length === 0) return [];
  facts.taskNames();
  await facts.load();
  const names = facts.taskNames() ?? [];
  return unknown.map(({ step, task }) => unknownTaskFault(task, `/steps/${step}/uses`, names));
}

/** Workflows that steps name and that do not exist, or that lead back to where they come from. */
async function workflowFaults(
  facts: Facts,
  definition: WorkflowDefinition,
  name: string | undefined,
): Promise<Fault[]> {
  let faults: Fault[] = [];
  await settle(facts, () => {
    faults = [];
    const found = workflowsIn(definition).map(({ step, path, ref }) => {
      const message = faultOfWorkflow(ref, facts, name === undefined ? [] : [name]);
      if (message) faults.push({ path, ...message });
      else if (message === null) faults.push(...faultsOfGiven(definition, step, facts, ref));
      return message;
    });
    return found.every((message) => message !== undefined);
  });
  return faults;
}

/** What a step gives that its workflow does not take, and what it does not give and must. */
function faultsOfGiven({ steps }: WorkflowDefinition, name: string, facts: Facts, ref: string): Fault[] {
  const version = facts.workflow(ref);
  const declared = version ? facts.definition(version.id)?.params : undefined;
  if (!declared) return [];
  const { params } = steps[name] as WorkflowOrderStep;
  return checkGiven(declared, params).faults.map((fault) => ({ ...fault, path: `/steps/${name}${fault.path}` }));
}

/** Null: nothing is wrong; undefined: facts are missing. */
function faultOfWorkflow(ref: string, facts: Facts, trail: readonly string[]): Omit<Fault, 'path'> | null | undefined {
  const name = ref.split('@')[0] as string;
  if (trail.includes(name)) {
    const cycle = [...trail.slice(trail.indexOf(name)), name].join(' → ');
    return { message: `these workflows run each other: ${cycle}`, code: 'cycle' };
  }
  if (trail.length >= MAX_SUB_WORKFLOWS)
    return { message: `workflows run each other more than ${MAX_SUB_WORKFLOWS} deep` };
  const version = facts.workflow(ref);
  if (version === null) return { message: `there is no workflow '${ref}'`, code: 'unknown_workflow' };
  const definition = version && facts.definition(version.id);
  if (!definition) return undefined;
  let complete = true;
  for (const inner of workflowsIn(definition)) {
    const fault = faultOfWorkflow(inner.ref, facts, [...trail, name]);
    if (fault) return fault;
    if (fault === undefined) complete = false;
  }
  return complete ? null : undefined;
}

function workflowsIn({ steps }: WorkflowDefinition): { step: string; path: string; ref: string }[] {
  return Object.entries(steps).flatMap(([name, step]) => {
    if (!('workflow' in step)) return [];
    if (typeof step.workflow === 'string') return [{ step: name, path: `/steps/${name}/workflow`, ref: step.workflow }];
    const { default: ref } = step.workflow;
    return ref === undefined ? [] : [{ step: name, path: `/steps/${name}/workflow/default`, ref }];
  });
}

/** Asks for facts until all that is wanted is known. */
async function settle(facts: Facts, isKnown: () => boolean): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS && !isKnown(); round++) await facts.load();
}
