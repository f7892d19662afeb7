import type { JsonValue } from '@connecta/contracts';
import { secretPlaces } from '../profiles/secret-places.ts';
import type { JsonSchema } from '../function/function.ts';

const CENSORED = '[redacted]';
const MAX_DEPTH = 8;

/** Takes the secrets of an attempt's settings out of what is told of it. */
export type Redact = (text: string) => string;

/** For settings without secrets. */
export const NOTHING_SECRET: Redact = (text) => text;

/** The texts in settings that their schema marks as secret (`writeOnly`), and the forms in which they show up in logs. */
export function redactorOf(schema: JsonSchema, settings: JsonValue): Redact {
  const secrets = new Set(secretPlaces(schema, settings).flatMap((place) => leavesOf(valueAt(settings, place))));
  if (secrets.size === 0) return NOTHING_SECRET;
  const forms = [...secrets].flatMap(formsOf).filter((form) => form !== '');
  // The longest first: a secret may be a part of another.
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((told, form) => told.replaceAll(form, CENSORED), text);
}

/** Fields of a log line as JSON that can be kept: secrets taken out, errors told, what is too deep left out. */
export function tellFields(fields: object, redact: Redact): { [name: string]: JsonValue } {
  return Object.fromEntries(
    Object.entries(fields)
      .map(([name, value]) => [clean(redact(name)), tellValue(value, redact, 1)] as const)
      .filter((entry): entry is [string, JsonValue] => entry[1] !== undefined),
  );
}

/** A text that can be kept: neither NUL nor half a surrogate pair. */
export function clean(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

function tellValue(value: unknown, redact: Redact, depth: number): JsonValue | undefined {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return tellNumber(value, redact);
  if (typeof value === 'string') return clean(redact(value));
  if (typeof value === 'bigint') return redact(String(value));
  if (typeof value !== 'object') return undefined;
  if (depth >= MAX_DEPTH) return '…';
  if (value instanceof Error) return tellError(value, redact, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.slice(0, 200).map((item) => tellValue(item, redact, depth + 1) ?? null);
  const told: { [name: string]: JsonValue } = {};
  for (const [name, item] of Object.entries(value).slice(0, 200)) {
    const inner = tellValue(item, redact, depth + 1);
    if (inner !== undefined) told[clean(redact(name))] = inner;
  }
  return told;
}

function tellNumber(value: number, redact: Redact): JsonValue {
  if (!Number.isFinite(value)) return String(value);
  const text = redact(String(value));
  return text === String(value) ? value : text;
}

function tellError(error: Error, redact: Redact, depth: number): JsonValue {
  const { name, message, stack = '', cause } = error;
  const told = cause === undefined ? undefined : tellValue(cause, redact, depth + 1);
  return {
    ...{ name, message: clean(redact(message)), stack: clean(redact(stack)) },
    ...(told === undefined ? {} : { cause: told }),
  };
}

function leavesOf(value: JsonValue | undefined): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(leavesOf);
}

/** As it is, in JSON, in a URL, in base64. */
function formsOf(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed()), base64];
}

function valueAt(value: JsonValue, pointer: string): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const token of pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as { [name: string]: JsonValue })[token.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return at;
}
