import type { JsonValue } from './values.ts';

/** One step of a workflow as its author wrote it. */
export interface WorkflowStep {
  /** The task: `worker-type/profile-name`. */
  uses: string;
  needs?: string[];
  params?: { [name: string]: JsonValue };
}

/** A workflow as its author wrote it (schemas/workflow.schema.json). */
export interface WorkflowDefinition {
  name?: string;
  description?: string;
  steps: { [step: string]: WorkflowStep };
  /** The step whose result is the order's result; without it, the only step that nothing needs. */
  output?: string;
  /** Where input comes from, and where results go: kept as written. */
  routes?: { type: string; [more: string]: JsonValue }[];
  sinks?: { type: string; [more: string]: JsonValue }[];
}

/** The pattern of names: worker types, profiles, workflows, steps. */
export const NAME_PATTERN = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/;
/** The most steps that one workflow may have. */
export const MAX_STEPS = 1000;

/** Splits a task into worker type and profile name; null when it is not `type/name`. */
export function parseTask(task: string): { workerType: string; profileName: string } | null {
  const [workerType, profileName, ...rest] = task.split('/');
  if (!workerType || !profileName || rest.length > 0) return null;
  return { workerType, profileName };
}
