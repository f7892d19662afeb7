import { parseTask, parseWorkflow, type Fault, type WorkflowDefinition } from '@connecta/contracts';
import { compileWorkflow } from '@connecta/domain';
import type { Store } from '@connecta/store';
import { Facts } from './facts.ts';
import { findProfile, unknownTaskFault } from './pins.ts';
import { MAX_SUB_WORKFLOWS } from './subPlans.ts';

/** Aliases lead to tasks, and workflows to workflows, each in a round of its own. */
const MAX_ROUNDS = 40;

type Validated = { definition: WorkflowDefinition; faults: [] } | { definition: null; faults: Fault[] };

/** Checks a workflow as for saving it (under `name`, when it names none itself): every fault at once. */
export async function validateWorkflow(store: Store, value: unknown, name?: string): Promise<Validated> {
  const parsed = parseWorkflow(value);
  if (!parsed.ok) return { definition: null, faults: parsed.faults };
  const { definition } = parsed;
  const compiled = compileWorkflow(definition);
  const facts = new Facts(store);
  const faults = [
    ...(compiled.ok ? [] : compiled.faults),
    ...(await unknownTaskFaults(facts, definition)),
    ...(await workflowFaults(facts, definition, definition.name ?? name)),
  ];
  return faults.length > 0 ? { definition: null, faults } : { definition, faults: [] };
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
    const found = workflowsIn(definition).map(({ path, ref }) => {
      const message = faultOfWorkflow(ref, facts, name === undefined ? [] : [name]);
      if (message) faults.push({ path, ...message });
      return message;
    });
    return found.every((message) => message !== undefined);
  });
  return faults;
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

function workflowsIn({ steps }: WorkflowDefinition): { path: string; ref: string }[] {
  return Object.entries(steps).flatMap(([name, step]) => {
    if (!('workflow' in step)) return [];
    if (typeof step.workflow === 'string') return [{ path: `/steps/${name}/workflow`, ref: step.workflow }];
    const { default: ref } = step.workflow;
    return ref === undefined ? [] : [{ path: `/steps/${name}/workflow/default`, ref }];
  });
}

/** Asks for facts until all that is wanted is known. */
async function settle(facts: Facts, isKnown: () => boolean): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS && !isKnown(); round++) await facts.load();
}
