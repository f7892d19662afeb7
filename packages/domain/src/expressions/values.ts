import type { JsonValue } from '@connecta/contracts';
import { celMap, isCelList, isCelMap, isCelUint, type CelInput, type CelValue } from '@bufbuild/cel';
import { listOf } from './lists.ts';

/** A JSON value as expressions see it, and how much of it there is: its nodes, long texts counting for several. */
export interface Converted {
  value: CelInput;
  weight: number;
}

/** Values that were converted before: many expressions look at the same input. */
export type Conversions = WeakMap<object, Converted>;

/** So much text counts as one node. */
const TEXT_PER_NODE = 16;
const MAX_RESULT_NODES = 200_000;

/** Whole numbers become ints, for `input + 1` fails on a double; others stay doubles. */
export function toCel(value: JsonValue, known: Conversions): Converted {
  if (typeof value === 'number') return { value: Number.isSafeInteger(value) ? BigInt(value) : value, weight: 1 };
  if (typeof value === 'string') return { value, weight: 1 + Math.floor(value.length / TEXT_PER_NODE) };
  if (typeof value !== 'object' || value === null) return { value, weight: 1 };
  const before = known.get(value);
  if (before) return before;
  const converted = Array.isArray(value) ? listToCel(value, known) : objectToCel(value, known);
  known.set(value, converted);
  return converted;
}

/** @throws TypeError for what JSON does not have, RangeError for too much of it. */
export function fromCel(value: CelValue): JsonValue {
  let nodes = 0;
  const read = (part: CelValue): JsonValue => {
    if (++nodes > MAX_RESULT_NODES) throw new RangeError(`a result of more than ${MAX_RESULT_NODES} values`);
    if (typeof part === 'string') return storable(part);
    if (part === null || typeof part === 'boolean') return part;
    if (typeof part === 'bigint') return wholeNumber(part);
    if (typeof part === 'number') return finite(part);
    if (isCelUint(part)) return wholeNumber(part.value);
    if (isCelList(part)) return Array.from(part, read);
    // Not by assignment: a member named `__proto__` must stay a member.
    if (isCelMap(part)) return Object.fromEntries(Array.from(part, ([key, inner]) => [nameOf(key), read(inner)]));
    return textOfMessage(part);
  };
  return read(value);
}

function listToCel(list: JsonValue[], known: Conversions): Converted {
  let weight = 1;
  const items = list.map((item) => {
    const converted = toCel(item, known);
    weight += converted.weight;
    return converted.value;
  });
  return { value: listOf(items), weight };
}

function objectToCel(object: { [name: string]: JsonValue }, known: Conversions): Converted {
  let weight = 1;
  const members = new Map<string, CelInput>();
  for (const [name, inner] of Object.entries(object)) {
    const converted = toCel(inner, known);
    weight += converted.weight;
    members.set(name, converted.value);
  }
  return { value: celMap(members), weight };
}

/** Postgres' jsonb refuses NUL and halves of surrogate pairs, which `charAt` and escapes can make. */
function storable(text: string): string {
  if (!text.isWellFormed() || text.includes('\0')) throw new TypeError('a text that cannot be stored');
  return text;
}

function wholeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${value} is too large a number`);
  return number;
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no JSON number`);
  return value;
}

function nameOf(key: unknown): string {
  if (typeof key !== 'string') throw new TypeError('the names of an object must be texts');
  return storable(key);
}

/** Times and durations as their texts; nothing else that CEL has beyond JSON can leave an expression. */
function textOfMessage(value: CelValue): string {
  const message = typeof value === 'object' && value !== null && 'message' in value ? value.message : undefined;
  if (message?.$typeName === 'google.protobuf.Timestamp') {
    const { seconds, nanos } = message as unknown as { seconds: bigint; nanos: number };
    return new Date(Number(seconds) * 1000 + nanos / 1e6).toISOString();
  }
  if (message?.$typeName === 'google.protobuf.Duration') {
    const { seconds, nanos } = message as unknown as { seconds: bigint; nanos: number };
    return `${Number(seconds) + nanos / 1e9}s`;
  }
  throw new TypeError('the result is no JSON value');
}
