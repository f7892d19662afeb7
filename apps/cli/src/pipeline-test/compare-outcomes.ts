import type { Tolerance } from './test-case.ts';

/** A blob by what it holds. */
export interface RecordedBlob {
  readonly mediaType: string;
  readonly size: number;
  readonly sha256: string;
  /** Where its bytes were recorded, relative to the case. */
  readonly file?: string;
}

/** Something that differs, by its JSON pointer. */
export interface Difference {
  readonly path: string;
  readonly message: string;
}

/** Two blobs with different bytes: whether they are alike is for somebody who reads them to say. */
export interface BlobPair {
  readonly path: string;
  readonly expected: RecordedBlob;
  readonly actual: RecordedBlob;
}

const BLOB = '$blob';

/** A value in which each blob is told by what it holds, so that two runs can be compared. */
export function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== 'object' || value === null) return value;
  if ('blobId' in value && 'sha256' in value) {
    const { mediaType, size, sha256 } = value as unknown as RecordedBlob;
    return { [BLOB]: { mediaType, size, sha256 } };
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withoutIds(field)]));
}

/** The blobs of a value with their ids, by JSON pointer. */
export function blobsIn(
  value: unknown,
  path = '',
): { path: string; blobId: string; mediaType: string; size: number }[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('blobId' in value && 'sha256' in value) {
    const { blobId, mediaType, size } = value as unknown as { blobId: string; mediaType: string; size: number };
    return [{ path, blobId, mediaType, size }];
  }
  return Object.entries(value).flatMap(([name, field]) => blobsIn(field, `${path}/${escape(name)}`));
}

/** What differs between two outcomes, and the blobs whose bytes are to be looked at. */
export function compareValues(
  expected: unknown,
  actual: unknown,
  tolerance: Tolerance,
): { differences: Difference[]; blobs: BlobPair[] } {
  const differences: Difference[] = [];
  const blobs: BlobPair[] = [];
  const ignored = new Set(tolerance.ignore);
  const walk = (before: unknown, after: unknown, path: string): void => {
    if (ignored.has(path)) return;
    const differ = (message: string): void => void differences.push({ path, message });
    if (typeof before === 'number' && typeof after === 'number') {
      if (before !== after && !(Math.abs(before - after) <= tolerance.numbers)) {
        differ(`is ${after}, expected ${before}${tolerance.numbers > 0 ? ` ± ${tolerance.numbers}` : ''}`);
      }
    } else if (isObject(before) && isObject(after) && Array.isArray(before) === Array.isArray(after)) {
      const [one, other] = [blobOf(before), blobOf(after)];
      if (one && other) {
        if (one.sha256 !== other.sha256) blobs.push({ path, expected: one, actual: other });
        return;
      }
      for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
        const place = `${path}/${escape(name)}`;
        if (ignored.has(place)) continue;
        if (!Object.hasOwn(after, name))
          differences.push({ path: place, message: `is missing, expected ${brief(before[name])}` });
        else if (!Object.hasOwn(before, name))
          differences.push({ path: place, message: `is new: ${brief(after[name])}` });
        else walk(before[name], after[name], place);
      }
    } else if (!Object.is(before, after)) differ(`is ${brief(after)}, expected ${brief(before)}`);
  };
  walk(expected, actual, '');
  return { differences, blobs };
}

/** A recorded blob, when that is what a value is. */
export function blobOf(value: unknown): RecordedBlob | undefined {
  if (!isObject(value) || !isObject(value[BLOB])) return undefined;
  return value[BLOB] as unknown as RecordedBlob;
}

/** The same value with the files in which blobs were recorded, by JSON pointer. */
export function withFiles(value: unknown, files: ReadonlyMap<string, string>, path = ''): unknown {
  if (!isObject(value)) return value;
  const blob = blobOf(value);
  if (blob) {
    const file = files.get(path);
    return { [BLOB]: { ...blob, ...(file === undefined ? {} : { file }) } };
  }
  const entries = Object.entries(value).map(
    ([name, field]) => [name, withFiles(field, files, `${path}/${escape(name)}`)] as const,
  );
  return Array.isArray(value) ? entries.map(([, field]) => field) : Object.fromEntries(entries);
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const escape = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
