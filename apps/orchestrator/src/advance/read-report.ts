import type { KeyObject } from 'node:crypto';
import {
  INLINE_VALUE_BYTES,
  isBlobRef,
  isDeeperThan,
  isStorable,
  jsonBytes,
  readLease,
  workerEventSchema,
  type JsonValue,
  type Lease,
  type WorkerEvent,
} from '@connecta/contracts';

/** A worker's event whose lease is genuine and says the same as the event and the stream that it came on. */
export interface Report {
  event: WorkerEvent;
  lease: Lease;
}

export type ReadResult = { ok: true; report: Report } | { ok: false; reason: string };

/** The most faults that are told of one body. */
const MAX_ISSUES = 5;

/**
 * Reads what came on a worker type's event stream. The stream is the type's own, but its content is a stranger's: only
 * a lease that this system signed for that type, job and attempt makes it a report.
 */
export function readReport(key: KeyObject, workerType: string, body: unknown): ReadResult {
  // Looked at before anything recursive sees it.
  const tooDeep = (['value', 'newItems'] as const).find((member) => nestsTooDeeply(body, member)) ?? null;
  const parsed = workerEventSchema.safeParse(
    tooDeep === null ? body : { ...(body as object), value: null, newItems: undefined },
  );
  if (!parsed.success) return { ok: false, reason: reasonOf(parsed.error) };
  const event = parsed.data as WorkerEvent;
  const lease = readLease(key, event.lease);
  if (!lease) return { ok: false, reason: 'the lease was not signed here' };
  if (lease.jobId !== event.jobId || lease.attempt !== event.attempt) {
    return { ok: false, reason: 'the lease is of another job or attempt' };
  }
  if (lease.workerType !== workerType) return { ok: false, reason: 'the lease is of another worker type' };
  return { ok: true, report: { event: tame(event, tooDeep), lease } };
}

function nestsTooDeeply(body: unknown, member: string): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const value = (body as { [member: string]: unknown })[member];
  return typeof value === 'object' && isDeeperThan(value);
}

function reasonOf({ issues }: { issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  const told = issues.slice(0, MAX_ISSUES).map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  return told.join('; ');
}

/** What the database cannot hold is the worker's fault, not a reason to lose the report. */
function tame(event: WorkerEvent, tooDeep: 'value' | 'newItems' | null): WorkerEvent {
  const clean = cleanHead(event);
  if (clean.type === 'failed') {
    const { code, message } = clean.error;
    return { ...clean, error: { ...clean.error, code: storableText(code), message: storableText(message) } };
  }
  if (clean.type !== 'completed') return clean;
  if (clean.functionVersion !== undefined) clean.functionVersion = storableText(clean.functionVersion);
  const message = tooDeep === null ? faultOfResult(clean) : `${NAMES[tooDeep]} cannot be stored: it nests too deeply`;
  if (message === null) return clean;
  const { value: _, newItems: __, type: ___, functionVersion: ____, ...head } = clean;
  return { ...head, type: 'failed', error: { kind: 'permanent', code: 'invalid_output', message } };
}

const NAMES = { value: 'the result', newItems: 'new items' } as const;

function faultOfResult({ value, newItems }: Extract<WorkerEvent, { type: 'completed' }>): string | null {
  const fault = faultOf(value);
  if (fault !== null) return `${NAMES.value} cannot be stored: ${fault}`;
  if (newItems === undefined) return null;
  if (!Array.isArray(newItems) && !isBlobRef(newItems)) return 'new items are no list, nor the blob of one';
  const faultOfItems = faultOf(newItems);
  return faultOfItems === null ? null : `${NAMES.newItems} cannot be stored: ${faultOfItems}`;
}

function cleanHead(event: WorkerEvent): WorkerEvent {
  const instance = storableText(event.instance);
  // Of all that the format allows, Postgres knows no year 0 and no fraction of a hundred digits.
  const startedAt = ('startedAt' in event && event.startedAt) || '';
  const bad = startedAt.startsWith('0000') || startedAt.length >= 40;
  if (instance === event.instance && !bad) return event;
  return { ...event, instance, ...(bad ? { startedAt: undefined } : {}) };
}

function faultOf(value: JsonValue): string | null {
  if (typeof value !== 'object' && typeof value !== 'string') return null;
  if (!isStorable(value)) return 'a text in it holds NUL or half a character';
  return jsonBytes(value) > INLINE_VALUE_BYTES ? `over ${INLINE_VALUE_BYTES} bytes of JSON are a blob` : null;
}

/** Postgres stores neither NUL nor half of a surrogate pair. */
function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
