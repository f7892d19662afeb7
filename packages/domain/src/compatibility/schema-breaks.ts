import type { JsonValue } from '@connecta/contracts';

/** A value that one schema allows and another refuses: proved, not guessed. */
export interface SchemaBreak {
  /** A JSON pointer into the value; `*` stands for any item of a list. */
  path: string;
  /** The JSON Schema keyword that refuses it. */
  keyword: string;
  message: string;
}

type Schema = { readonly [keyword: string]: JsonValue };

/** Deeper schemas (those that hold themselves) are not looked into. */
const MAX_DEPTH = 16;
/** With one of these a schema allows less than its other keywords say: nothing is proved about it then. */
const OPAQUE = ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'dependentSchemas', 'dependentRequired'];
const ALL_TYPES = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];
const NONE: readonly SchemaBreak[] = [];

/**
 * The breaks between what somebody sends (`from`) and what another accepts (`to`). Conservative: what cannot be proved
 * from the keywords (patterns, formats, combined or open schemas) is no break.
 */
export function schemaBreaks(from: JsonValue, to: JsonValue): SchemaBreak[] {
  return [...breaksAt({ from, to, path: '', depth: 0 })];
}

/** The breaks that a change brings: those after it which were not there before it. */
export function newBreaks(before: readonly SchemaBreak[], after: readonly SchemaBreak[]): SchemaBreak[] {
  const known = new Set(before.map(({ path, keyword }) => `${keyword} ${path}`));
  return after.filter(({ path, keyword }) => !known.has(`${keyword} ${path}`));
}

interface Place {
  from: JsonValue | undefined;
  to: JsonValue | undefined;
  path: string;
  depth: number;
}

function breaksAt({ from, to, path, depth }: Place): readonly SchemaBreak[] {
  if (!isSchema(from) || !isSchema(to) || depth > MAX_DEPTH || OPAQUE.some((keyword) => keyword in from)) return NONE;
  const at = { from, to, path, depth };
  const types = typeBreaks(at);
  if (types.length > 0) return types;
  return [...valueBreaks(at), ...boundBreaks(at), ...objectBreaks(at), ...itemBreaks(at)];
}

interface Pair {
  from: Schema;
  to: Schema;
  path: string;
  depth: number;
}

function typeBreaks({ from, to, path }: Pair): SchemaBreak[] {
  const sent = typesOf(from) ?? [];
  const accepted = typesOf(to) ?? ALL_TYPES;
  const refused = sent.filter(
    (type) => !accepted.includes(type) && !(type === 'integer' && accepted.includes('number')),
  );
  // Listed values tell more of a type than its name: 1 and 2 are integers, whatever they are called.
  if (refused.length === 0 || valuesOf(from)) return [];
  return [
    { path, keyword: 'type', message: `may be ${refused.join(' or ')}, and ${accepted.join(' or ')} is accepted` },
  ];
}

/** Listed values on either side. */
function valueBreaks({ from, to, path }: Pair): SchemaBreak[] {
  const accepted = valuesOf(to)?.map((value) => JSON.stringify(value));
  if (!accepted) return [];
  const sent = valuesOf(from);
  const refused = sent
    ?.filter((value) => !accepted.includes(JSON.stringify(value)))
    .map((value) => JSON.stringify(value));
  if (refused && refused.length > 0) {
    return [{ path, keyword: 'enum', message: `may be ${refused.join(', ')}, which is not accepted any more` }];
  }
  if (sent || !isUnbounded(from)) return [];
  return [
    {
      path,
      keyword: 'enum',
      message: `may be any ${JSON.stringify(from['type'])}, and only listed values are accepted`,
    },
  ];
}

const BOUNDS = [
  { type: 'number', low: 'minimum', high: 'maximum' },
  { type: 'string', low: 'minLength', high: 'maxLength' },
  { type: 'array', low: 'minItems', high: 'maxItems' },
  { type: 'object', low: 'minProperties', high: 'maxProperties' },
] as const;
/** What narrows a value of a type in a way that its bounds do not show. */
const NARROWING = {
  number: ['exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['pattern', 'format'],
  array: ['prefixItems', 'contains', 'uniqueItems'],
  object: ['properties', 'required', 'propertyNames', 'additionalProperties', 'patternProperties'],
} as const;

function boundBreaks({ from, to, path }: Pair): SchemaBreak[] {
  if (valuesOf(from)) return [];
  const sent = typesOf(from) ?? [];
  return BOUNDS.flatMap(({ type, low, high }) => {
    const has = sent.includes(type) || (type === 'number' && sent.includes('integer'));
    if (!has || NARROWING[type].some((keyword) => keyword in from)) return [];
    const least = type === 'number' ? -Infinity : 0;
    const breaks: SchemaBreak[] = [];
    if (numberOf(from, low, least) < numberOf(to, low, least)) {
      breaks.push({
        path,
        keyword: low,
        message: `may be below the ${low} of ${numberOf(to, low, least)} that is accepted`,
      });
    }
    if (numberOf(from, high, Infinity) > numberOf(to, high, Infinity)) {
      const most = numberOf(to, high, Infinity);
      breaks.push({ path, keyword: high, message: `may be above the ${high} of ${most} that is accepted` });
    }
    return breaks;
  });
}

function objectBreaks({ from, to, path, depth }: Pair): SchemaBreak[] {
  if (!typesOf(from)?.includes('object')) return [];
  const [sent, accepted] = [schemasOf(from), schemasOf(to)];
  const surely = namesIn(from['required']);
  const missing = namesIn(to['required']).flatMap((name): SchemaBreak[] => {
    if (surely.includes(name)) return [];
    const place = `${path}/${escaped(name)}`;
    return Object.hasOwn(sent, name)
      ? [{ path: place, keyword: 'required', message: 'may be missing, and is required' }]
      : [{ path: place, keyword: 'absent', message: 'is not there any more, and is required' }];
  });
  const closed = to['additionalProperties'] === false && !('patternProperties' in to);
  const members = Object.keys(sent).flatMap((name): readonly SchemaBreak[] => {
    const place = `${path}/${escaped(name)}`;
    if (Object.hasOwn(accepted, name)) {
      return breaksAt({ from: sent[name], to: accepted[name], path: place, depth: depth + 1 });
    }
    if (!closed || sent[name] === false) return NONE;
    return [{ path: place, keyword: 'additionalProperties', message: 'may be there, and is not accepted' }];
  });
  return [...missing, ...members];
}

function itemBreaks({ from, to, path, depth }: Pair): readonly SchemaBreak[] {
  const plain = typesOf(from)?.includes('array') && !('prefixItems' in from) && !('prefixItems' in to);
  if (!plain || from['maxItems'] === 0) return NONE;
  return breaksAt({ from: from['items'], to: to['items'], path: `${path}/*`, depth: depth + 1 });
}

/** True when nothing keeps a value to a finite number of possibilities. */
function isUnbounded(schema: Schema): boolean {
  const types = typesOf(schema) ?? [];
  const number = types.includes('number') || types.includes('integer');
  const text = types.includes('string');
  const endless = number ? !('minimum' in schema && 'maximum' in schema) : text && !('maxLength' in schema);
  const narrowed = [...NARROWING.number, ...NARROWING.string];
  return endless && !narrowed.some((keyword) => keyword in schema);
}

function typesOf({ type }: Schema): string[] | undefined {
  return type === undefined ? undefined : ([type].flat() as string[]);
}

function valuesOf(schema: Schema): JsonValue[] | undefined {
  if ('const' in schema) return [schema['const']];
  return schema['enum'] as JsonValue[] | undefined;
}

function schemasOf({ properties }: Schema): Schema {
  return isSchema(properties) ? properties : {};
}

function namesIn(required: JsonValue | undefined): string[] {
  return Array.isArray(required) ? (required as string[]) : [];
}

function numberOf(schema: Schema, keyword: string, otherwise: number): number {
  const value = schema[keyword];
  return typeof value === 'number' ? value : otherwise;
}

function isSchema(value: JsonValue | undefined): value is { [keyword: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
