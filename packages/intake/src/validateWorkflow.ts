import { parseTask, parseWorkflow, type Fault, type WorkflowDefinition } from '@connecta/contracts';
import { compileWorkflow } from '@connecta/domain';
import type { Store } from '@connecta/store';
import { Facts } from './facts.ts';
import { findProfile, unknownTaskFault } from './pins.ts';

const MAX_ALIAS_ROUNDS = 8;

/** Checks a workflow as for saving it: shape, graph and tasks, every fault at once. */
export async function validateWorkflow(
  store: Store,
  value: unknown,
): Promise<{ definition: WorkflowDefinition; faults: [] } | { definition: null; faults: Fault[] }> {
  const parsed = parseWorkflow(value);
  if (!parsed.ok) return { definition: null, faults: parsed.faults };
  const compiled = compileWorkflow(parsed.definition);
  const faults = [...(compiled.ok ? [] : compiled.faults), ...(await unknownTaskFaults(store, parsed.definition))];
  return faults.length > 0 ? { definition: null, faults } : { definition: parsed.definition, faults: [] };
}

async function unknownTaskFaults(store: Store, definition: WorkflowDefinition): Promise<Fault[]> {
  const facts = new Facts(store);
  const uses = Object.entries(definition.steps)
    .flatMap(([name, step]) => ('uses' in step ? [{ step: name, task: step.uses }] : []))
    .filter(({ task }) => parseTask(task) !== null);
  for (let round = 0; round < MAX_ALIAS_ROUNDS; round++) {
    if (uses.filter(({ task }) => findProfile(task, facts) === undefined).length === 0) break;
    await facts.load();
  }
  const unknown = uses.filter(({ task }) => !findProfile(task, facts));
  if (unknown.length === 0) return [];
  facts.taskNames();
  await facts.load();
  const names = facts.taskNames() ?? [];
  return unknown.map(({ step, task }) => unknownTaskFault(task, `/steps/${step}/uses`, names));
}
