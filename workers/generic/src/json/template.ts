import type { JsonValue } from '@connecta/contracts';
import { FunctionError, type JsonSchema } from '@connecta/worker-kit';

/** The most values that one transformation may make. */
export const MAX_NODES = 100_000;
const MAX_DEPTH = 48;

/**
 * The schema of a template: JSON in which these objects stand for something else, and everything else for itself.
 *
 * - `{"$path": "/a/b", "default"?: …}` what the JSON pointer finds in the current value (`""`: all of it)
 * - `{"$input": "/a"}` and `{"$params": "/a"}` the same in the whole input, and in the step's parameters
 * - `{"$each": "/items", "do": template}` a list: the template for each item, which is the current value inside
 * - `{"$literal": …}` JSON as it is, whatever it holds
 */
export const TEMPLATE_SCHEMA: JsonSchema = {
  anyOf: [
    { type: ['string', 'number', 'boolean', 'null'] },
    { type: 'array', items: { $ref: '#/$defs/template' } },
    ...['$path', '$input', '$params'].map((operator) => ({
      type: 'object',
      required: [operator],
      additionalProperties: false,
      properties: { [operator]: { $ref: '#/$defs/pointer' }, default: {} },
    })),
    {
      type: 'object',
      required: ['$each', 'do'],
      additionalProperties: false,
      properties: { $each: { $ref: '#/$defs/pointer' }, do: { $ref: '#/$defs/template' } },
    },
    { type: 'object', required: ['$literal'], additionalProperties: false, properties: { $literal: {} } },
    {
      type: 'object',
      propertyNames: { not: { pattern: '^\\$' } },
      additionalProperties: { $ref: '#/$defs/template' },
    },
  ],
};

/** What {@link TEMPLATE_SCHEMA} refers to. */
export const TEMPLATE_DEFS: JsonSchema = {
  template: TEMPLATE_SCHEMA,
  pointer: { type: 'string', maxLength: 500, pattern: '^(?:/(?:[^~/]|~0|~1)*)*$' },
};

/** What a template is filled in with. */
export interface TemplateScope {
  input: JsonValue;
  params: JsonValue;
}

/**
 * Fills in a template that {@link TEMPLATE_SCHEMA} let through.
 *
 * @throws FunctionError path_not_found, not_a_list, too_large.
 */
export function fillTemplate(template: JsonValue, scope: TemplateScope): JsonValue {
  let nodes = 0;
  const fill = (part: JsonValue, current: JsonValue, depth: number): JsonValue => {
    if (++nodes > MAX_NODES || depth > MAX_DEPTH)
      throw new FunctionError('permanent', 'too_large', `the result has more than ${MAX_NODES} values`);
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map((item) => fill(item, current, depth + 1));
    if ('$literal' in part) return part['$literal'] ?? null;
    if ('$each' in part) {
      const list = find(current, part['$each'] as string);
      if (!Array.isArray(list))
        throw new FunctionError('business', 'not_a_list', `there is no list at ${part['$each'] as string}`);
      return list.map((item) => fill(part['do'] ?? null, item, depth + 1));
    }
    for (const [operator, root] of [
      ['$path', current],
      ['$input', scope.input],
      ['$params', scope.params],
    ] as const)
      if (operator in part) return found(root, part[operator] as string, part['default']);
    return Object.fromEntries(Object.entries(part).map(([name, below]) => [name, fill(below, current, depth + 1)]));
  };
  return fill(template, scope.input, 0);
}

function found(root: JsonValue, pointer: string, byDefault: JsonValue | undefined): JsonValue {
  const value = find(root, pointer);
  if (value !== undefined) return value;
  if (byDefault !== undefined) return byDefault;
  throw new FunctionError('business', 'path_not_found', `the input has nothing at ${pointer}`);
}

/** What stands at a JSON pointer; undefined when nothing does, and `null` when null does. */
function find(root: JsonValue, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d*)$/.test(name) ? value[Number(name)] : undefined;
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) value = value[name];
    else return undefined;
  }
  return value;
}
