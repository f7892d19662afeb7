import { hash } from 'node:crypto';
import { isBlobRef, isFileValue, type BlobRef, type JsonValue, type ProfileId } from '@connecta/contracts';

/** Contexts that a job is given: that of its one need (or the one that all needs share), and by need where it has several. */
export interface GivenContext {
  context?: BlobRef;
  contexts?: { [need: string]: BlobRef };
}

/** Everything that a job's result may depend on. */
export interface FingerprintSubject {
  workerType: string;
  function: string;
  profileId: ProfileId;
  profileRevision: number;
  /** Of the function, as it was pinned; without it nothing can be proved. */
  functionVersion: string | undefined;
  /** As the function sees them: the order's under the step's, the strategy among them. */
  params: { [name: string]: JsonValue };
  input: JsonValue;
  given: GivenContext | null;
}

/** The kinds of things that may differ between two jobs, in the order in which they are told. */
export const FINGERPRINT_PARTS = ['task', 'profile', 'version', 'params', 'input', 'context'] as const;
export type FingerprintPart = (typeof FINGERPRINT_PARTS)[number];
/** What a fingerprint is made of, each part as canonical text; null: it cannot be told (a file on a share has no hash). */
export type FingerprintParts = Record<FingerprintPart, string | null>;

/** One part that differs; `from` and `to` are readable as they are, bytes by the beginning of their hash. */
export interface FingerprintDifference {
  what: FingerprintPart;
  from: string | null;
  to: string | null;
}

const MARK_CHARS = 12;

/**
 * Names everything that a job's result depends on by one SHA-256, in hex; equal only when every part is. Blobs count by
 * their bytes, whatever their ids; object members in any order. Null when some part cannot be told: such a job is never
 * taken for equal to another one.
 */
export function fingerprintOf(subject: FingerprintSubject): string | null {
  const parts = fingerprintParts(subject);
  let text = '1';
  for (const name of FINGERPRINT_PARTS) {
    const part = parts[name];
    if (part === null) return null;
    text += `\n${part}`;
  }
  return sha256(text);
}

/** The parts of a fingerprint: to say what differs between two. */
export function fingerprintParts(subject: FingerprintSubject): FingerprintParts {
  const { functionVersion, given } = subject;
  return {
    task: `${subject.workerType}/${subject.function}`,
    profile: `${subject.profileId}@${subject.profileRevision}`,
    version: functionVersion === undefined ? null : JSON.stringify(functionVersion),
    params: canonical(withoutDefault(subject.params)),
    input: canonical(subject.input),
    context: canonical({ one: given?.context ?? null, each: given?.contexts ?? null }),
  };
}

/** What differs between two jobs, the most telling part first; a part that cannot be told differs from everything. */
export function differencesOf(before: FingerprintParts, after: FingerprintParts): FingerprintDifference[] {
  return FINGERPRINT_PARTS.filter((what) => before[what] === null || before[what] !== after[what]).map((what) => ({
    what,
    from: shown(what, before[what]),
    to: shown(what, after[what]),
  }));
}

/** The strategy `final` is what an order has that says none. */
function withoutDefault(params: FingerprintSubject['params']): FingerprintSubject['params'] {
  const { strategy, ...others } = params;
  return strategy === 'final' ? others : params;
}

/** One text for equal values, null for one that names bytes which nobody knows. Blobs are written as no JSON can be. */
function canonical(value: JsonValue): string | null {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isBlobRef(value)) return `#${value.sha256}:${value.size}:${JSON.stringify(value.mediaType)}`;
  if (isFileValue(value)) return null;
  const inner: string[] = [];
  const names = Array.isArray(value) ? null : Object.keys(value).sort();
  for (const item of names ?? (value as JsonValue[])) {
    const text = canonical(
      names === null ? item : ((value as { [name: string]: JsonValue })[item as string] as JsonValue),
    );
    if (text === null) return null;
    inner.push(names === null ? text : `${JSON.stringify(item)}:${text}`);
  }
  return names === null ? `[${inner.join()}]` : `{${inner.join()}}`;
}

function shown(what: FingerprintPart, part: string | null): string | null {
  if (part === null) return null;
  if (what === 'task') return part;
  if (what === 'profile') return part;
  return what === 'version' ? (JSON.parse(part) as string) : `sha256:${sha256(part).slice(0, MARK_CHARS)}`;
}

function sha256(text: string): string {
  return hash('sha256', text);
}
