import type { JsonValue } from '@connecta/contracts';
import { pointerToken } from '../function/schema-check.ts';
import type { JsonSchema } from '../function/function.ts';

const MAX_DEPTH = 64;

/**
 * The JSON pointers in a value that a schema marks `"writeOnly": true`. Every branch of `allOf`, `anyOf`, `oneOf`,
 * `if`/`then`/`else` counts, whether or not it applies: a secret too many is encrypted rather than one too few.
 */
export function secretPlaces(schema: JsonSchema, value: JsonValue): string[] {
  const found = new Set<string>();
  const visit = (part: unknown, at: JsonValue, pointer: string, depth: number): void => {
    if (!isSchema(part) || depth > MAX_DEPTH) return;
    if (part['writeOnly'] === true && pointer !== '') return void found.add(pointer);
    for (const same of sameValueSchemas(schema, part)) visit(same, at, pointer, depth + 1);
    if (Array.isArray(at)) {
      at.forEach((item, index) => {
        for (const below of itemSchemas(part, index)) visit(below, item, `${pointer}/${index}`, depth + 1);
      });
    } else if (typeof at === 'object' && at !== null) {
      for (const [name, child] of Object.entries(at))
        for (const below of propertySchemas(part, name))
          visit(below, child, `${pointer}/${pointerToken(name)}`, depth + 1);
    }
  };
  visit(schema, value, '', 0);
  return [...found];
}

function isSchema(part: unknown): part is JsonSchema {
  return typeof part === 'object' && part !== null && !Array.isArray(part);
}

const listOf = (part: unknown): unknown[] => (Array.isArray(part) ? part : []);

/** Subschemas that look at the same value. */
function sameValueSchemas(root: JsonSchema, part: JsonSchema): unknown[] {
  const { $ref } = part;
  return [
    ...(typeof $ref === 'string' ? [resolve(root, $ref)] : []),
    ...['allOf', 'anyOf', 'oneOf'].flatMap((keyword) => listOf(part[keyword])),
    part['if'],
    part['then'],
    part['else'],
    ...(isSchema(part['dependentSchemas']) ? Object.values(part['dependentSchemas']) : []),
  ];
}

function itemSchemas(part: JsonSchema, index: number): unknown[] {
  return [listOf(part['prefixItems'])[index], part['items'], part['contains'], part['unevaluatedItems']];
}

function propertySchemas(part: JsonSchema, name: string): unknown[] {
  const { properties, patternProperties, additionalProperties, unevaluatedProperties } = part;
  return [
    isSchema(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined,
    ...(isSchema(patternProperties)
      ? Object.entries(patternProperties).flatMap(([pattern, below]) =>
          new RegExp(pattern, 'u').test(name) ? [below] : [],
        )
      : []),
    additionalProperties,
    unevaluatedProperties,
  ];
}

/** Only references within the document (`#/$defs/…`): a function's schema stands alone. */
function resolve(root: JsonSchema, ref: string): unknown {
  if (!ref.startsWith('#')) return undefined;
  let part: unknown = root;
  for (const token of ref.slice(1).split('/').slice(1))
    part = isSchema(part) ? part[decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  return part;
}
