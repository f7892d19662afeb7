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
  const errors = check.errors ?? [];
  const noObjects = new Set(errors.filter(({ keyword }) => keyword === 'type').map(({ instancePath }) => instancePath));
  const telling = errors.filter(
    ({ schemaPath, keyword, instancePath }) =>
      // What says the same as another error, with fewer words.
      !schemaPath.includes('/oneOf/') &&
      keyword !== 'propertyNames' &&
      !(keyword === 'oneOf' && noObjects.has(instancePath)),
  );
  return { ok: false, faults: telling.slice(0, MAX_FAULTS).map(faultOf) };
}

/** What a pattern stands for, by the end of its place in the schema. */
const PATTERNS: readonly (readonly [place: string, message: string])[] = [
  ['/uses/pattern', 'is not a task: worker-type/profile-name'],
  ['/workflow/pattern', 'is not a workflow: a name, or name@version'],
  ['/default/pattern', 'is not a workflow: a name, or name@version'],
  ['/needs/items/pattern', "is not a step's name, or name:approve, name:reject, name:edit or name:timeout"],
  ['/onError/pattern', "is 'fail', 'continue' or {fallback: step}"],
  ['/duration/pattern', 'is not a duration: 90s, 10m, 1h30m'],
  ['/identifier/pattern', 'is not a name: letters, digits and _, no digit first'],
  ['/pattern', "is not a name: lower-case letters, digits, '-' and '_'"],
];

function faultOf({ instancePath, schemaPath, keyword, params, message, propertyName }: ErrorObject): Fault {
  const names = params as { missingProperty?: string; additionalProperty?: string };
  if (names.missingProperty !== undefined)
    return { path: below(instancePath, names.missingProperty), message: 'is required' };
  if (names.additionalProperty !== undefined) {
    return { path: below(instancePath, names.additionalProperty), message: 'is not known' };
  }
  if (keyword === 'oneOf') return { path: instancePath, message: 'has exactly one of uses, workflow and wait' };
  if (keyword === 'enum') {
    const { allowedValues } = params as { allowedValues: unknown[] };
    return { path: instancePath, message: `is one of ${allowedValues.join(', ')}` };
  }
  const path = propertyName === undefined ? instancePath : below(instancePath, propertyName);
  const pattern = PATTERNS.find(([place]) => schemaPath.endsWith(place));
  return { path, message: pattern?.[1] ?? message ?? 'is not valid' };
}

/** The JSON pointer (RFC 6901) of a member. */
function below(pointer: string, name: string): string {
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
