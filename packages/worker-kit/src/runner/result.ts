import { INLINE_VALUE_BYTES, MAX_JSON_DEPTH, isBlobRef, type JsonValue } from '@connecta/contracts';
import { FunctionError } from '../function/function-error.ts';
import type { FunctionResult, JobBlobs } from '../function/function.ts';

/** A text of at most this many UTF-16 units has at most 8 KiB of UTF-8 with quotes, however it is escaped in JSON. */
const SURELY_INLINE_CHARS = Math.floor((INLINE_VALUE_BYTES - 2) / 6);

/** @throws FunctionError invalid_output when the value is not JSON that can be kept: shape, depth, texts, numbers. */
export function assertJson(value: unknown): asserts value is JsonValue {
  const fault = jsonFault(value, 0);
  if (fault !== undefined) throw new FunctionError('permanent', 'invalid_output', `the result ${fault}`);
}

/** @throws FunctionError invalid_output when it is not what a function has to return. */
export function assertResult(result: unknown): asserts result is FunctionResult {
  if (typeof result !== 'object' || result === null || !('value' in result))
    throw new FunctionError('permanent', 'invalid_output', 'the function returned no {value}');
  if ('context' in result && result.context !== undefined && !isBlobRef(result.context))
    throw new FunctionError('permanent', 'invalid_output', 'the context is not a blob reference');
  if ('newItems' in result && result.newItems !== undefined) {
    if (!Array.isArray(result.newItems))
      throw new FunctionError('permanent', 'invalid_output', 'the new items are no list');
    assertJson(result.newItems);
  }
}

/** The value as it travels: inline up to 8 KiB, else as a blob of JSON. */
export function travelForm(value: JsonValue, blobs: () => JobBlobs): JsonValue | Promise<JsonValue> {
  if (typeof value !== 'object' || value === null)
    if (typeof value !== 'string' || value.length <= SURELY_INLINE_CHARS) return value;
  const text = JSON.stringify(value);
  if (text.length <= INLINE_VALUE_BYTES / 3 || Buffer.byteLength(text) <= INLINE_VALUE_BYTES) return value;
  return blobs().create({ mediaType: 'application/json' }, Buffer.from(text));
}

function jsonFault(value: unknown, depth: number): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : 'holds a number that JSON does not have';
  if (typeof value === 'string') return textFault(value);
  if (typeof value === 'boolean' || value === null) return undefined;
  if (typeof value !== 'object') return `holds a ${typeof value}`;
  if (depth >= MAX_JSON_DEPTH) return `is nested deeper than ${MAX_JSON_DEPTH}`;
  return Array.isArray(value) ? arrayFault(value, depth) : objectFault(value, depth);
}

function arrayFault(array: readonly unknown[], depth: number): string | undefined {
  for (const item of array) {
    const fault = jsonFault(item, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function objectFault(object: object, depth: number): string | undefined {
  // A plain object's prototype is a root: compared by shape, since `Object.prototype` differs between contexts.
  const prototype = Object.getPrototypeOf(object) as object | null;
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return 'holds an object of a class';
  for (const [name, item] of Object.entries(object)) {
    const fault = textFault(name) ?? jsonFault(item, depth + 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** Postgres keeps neither NUL nor half a surrogate pair in JSON: one such result would stop a whole batch. */
function textFault(text: string): string | undefined {
  if (text.includes('\0')) return 'holds a NUL character';
  return text.isWellFormed() ? undefined : 'holds half a surrogate pair';
}
