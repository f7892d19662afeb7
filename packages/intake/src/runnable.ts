import { createHash } from 'node:crypto';
import {
  Problem,
  parseWorkflow,
  type Fault,
  type JsonValue,
  type WorkflowDefinition,
  type WorkflowVersionId,
} from '@connecta/contracts';
import { chainOf, compileWorkflow, type CompiledWorkflow } from '@connecta/domain';
import type { WantedPlan } from '@connecta/store';

/** Something that orders can run: checked and in order, its tasks not yet looked up. */
export interface Runnable {
  compiled: CompiledWorkflow;
  workflow: WantedPlan['workflow'];
  /** Names the version or the content: part of a plan's hash. */
  hash: string;
  /** Where a step's task stands in the request. */
  placeOf(step: string): string;
}

/** A version of a named workflow. It was checked when it was saved. */
export function runnableOfVersion(id: WorkflowVersionId, definition: WorkflowDefinition): Runnable | Problem {
  const result = compileWorkflow(definition);
  if (!result.ok) return invalidWorkflow(result.faults);
  return { compiled: result.workflow, workflow: { versionId: id }, hash: id, placeOf: () => '/workflow' };
}

/** A list of tasks: a chain whose steps are named after the profiles. */
export function runnableOfTasks(tasks: readonly string[]): Runnable | Problem {
  const definition = chainOf(tasks);
  const result = compileWorkflow(definition);
  if (!result.ok) return invalidWorkflow(result.faults);
  const steps = Object.keys(definition.steps);
  return {
    ...anonymous(result.workflow, { tasks: [...tasks] }),
    placeOf: (step) => `/tasks/${steps.indexOf(step)}`,
  };
}

/** Steps that an order brought along. */
export function runnableOfSteps(given: { steps: JsonValue; output?: string | undefined }): Runnable | Problem {
  const written: { [name: string]: JsonValue } = {
    steps: given.steps,
    ...(given.output === undefined ? {} : { output: given.output }),
  };
  const parsed = parseWorkflow(written);
  if (!parsed.ok) return invalidWorkflow(parsed.faults);
  const result = compileWorkflow(parsed.definition);
  if (!result.ok) return invalidWorkflow(result.faults);
  return {
    ...anonymous(result.workflow, written),
    placeOf: (step) => `/steps/${step}/uses`,
  };
}

export function invalidWorkflow(faults: readonly Fault[]): Problem {
  return new Problem('invalid_workflow', 'The steps do not make a workflow', { faults });
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function anonymous(compiled: CompiledWorkflow, definition: { [name: string]: JsonValue }): Omit<Runnable, 'placeOf'> {
  const hash = sha256(JSON.stringify(definition));
  return { compiled, workflow: { hash, definition }, hash };
}
