import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import workflowSchema from '../schemas/workflow.schema.json' with { type: 'json' };
import type { Fault } from './errors.ts';
import type { WorkflowDefinition } from './workflow.ts';

/** The workflow format as JSON Schema, draft 2020-12. */
export const WORKFLOW_SCHEMA: Readonly<Record<string, unknown>> = workflowSchema;

const MAX_FAULTS = 100;
const check = new Ajv2020({ allErrors: true, strict: false }).compile<WorkflowDefinition>(workflowSchema);

export type ParsedWorkflow = { ok: true; definition: WorkflowDefinition } | { ok: false; faults: Fault[] };

/** Reads a workflow as its author wrote it: its shape alone; whether it holds together is the domain's to say. */
export function parseWorkflow(value: unknown): ParsedWorkflow {
  if (check(value)) return { ok: true, definition: value };
  return { ok: false, faults: (check.errors ?? []).slice(0, MAX_FAULTS).map(faultOf) };
}

function faultOf({ instancePath, keyword, params, message }: ErrorObject): Fault {
  const names = params as { missingProperty?: string; additionalProperty?: string };
  if (names.missingProperty !== undefined)
    return { path: below(instancePath, names.missingProperty), message: 'is required' };
  if (names.additionalProperty !== undefined) {
    return { path: below(instancePath, names.additionalProperty), message: 'is not known' };
  }
  if (keyword === 'pattern' && instancePath.endsWith('/uses')) {
    return { path: instancePath, message: 'is not a task: worker-type/profile-name' };
  }
  if (keyword === 'pattern') {
    return { path: instancePath, message: "is not a name: lower-case letters, digits, '-' and '_'" };
  }
  return { path: instancePath, message: message ?? 'is not valid' };
}

/** The JSON pointer (RFC 6901) of a member. */
function below(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
