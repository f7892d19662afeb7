import { z } from 'zod';
import { isId, type BlobId } from './ids.ts';

/** The largest JSON value that travels inline, in bytes of UTF-8; larger JSON and all else is a blob. */
export const INLINE_VALUE_BYTES = 8192;
/** The deepest nesting of any JSON that enters the system; checked before validators see it. */
export const MAX_JSON_DEPTH = 64;

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export const blobRefSchema = z.strictObject({
  blobId: z.custom<BlobId>(isId, 'expected a lower-case UUID'),
  mediaType: z.string().regex(/^[^\p{Cc}\p{Cs}]{0,255}$/u),
  size: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
/** A reference to bytes in Blob Storage: id, media type, size in bytes, lower-case hex SHA-256. */
export type BlobRef = { blobId: BlobId; mediaType: string; size: number; sha256: string };

/** A file on a named share of a legacy installation: a root known by name, a relative path. Copied, never moved. */
export const fileRefSchema = z.strictObject({ share: z.string().min(1).max(100), path: z.string().min(1).max(1024) });
export type FileRef = z.infer<typeof fileRefSchema>;

/** True for a value that is exactly a blob reference. */
export function isBlobRef(value: unknown): value is BlobRef {
  return (
    typeof value === 'object' &&
    value !== null &&
    'blobId' in value &&
    typeof value.blobId === 'string' &&
    blobRefSchema.safeParse(value).success
  );
}

/** True for a value that is exactly `{file: {share, path}}`: a legacy file result. */
export function isFileValue(value: unknown): value is { file: FileRef } {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).length === 1 &&
    'file' in value &&
    fileRefSchema.safeParse(value.file).success
  );
}

/** Every blob reference inside a value, however deep, in document order, each id once. */
export function blobRefsIn(value: JsonValue): BlobRef[] {
  const found = new Map<string, BlobRef>();
  const visit = (v: JsonValue): void => {
    if (typeof v !== 'object' || v === null) return;
    if (Array.isArray(v)) for (const item of v) visit(item);
    else if (isBlobRef(v)) found.set(v.blobId, v);
    else for (const item of Object.values(v)) visit(item);
  };
  visit(value);
  return [...found.values()];
}

/** Every legacy file (`{file: {share, path}}`) inside a value, however deep, in document order. */
export function fileRefsIn(value: JsonValue): FileRef[] {
  const found: FileRef[] = [];
  const visit = (v: JsonValue): void => {
    if (typeof v !== 'object' || v === null) return;
    if (Array.isArray(v)) for (const item of v) visit(item);
    else if (isFileValue(v)) found.push(v.file);
    else for (const item of Object.values(v)) visit(item);
  };
  visit(value);
  return found;
}

/** Bytes of a JSON value as UTF-8 text. */
export function jsonBytes(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** True when a parsed JSON value nests deeper than `max`. Iterative: it must not overflow on what it guards against. */
export function isDeeperThan(value: unknown, max: number = MAX_JSON_DEPTH): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > max) return true;
    level = level.flatMap((v) => (typeof v === 'object' && v !== null ? (Object.values(v) as unknown[]) : []));
  }
  return false;
}

const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

/** False for a value with a NUL character or half of a surrogate pair in some text: Postgres' jsonb refuses both. */
export function isStorable(value: JsonValue): boolean {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return true;
  return !UNSTORABLE.test(JSON.stringify(value));
}
