import type { KeyObject } from 'node:crypto';
import {
  isDeeperThan,
  isStorable,
  readLease,
  workerEventSchema,
  type Lease,
  type WorkerEvent,
} from '@connecta/contracts';

/** A worker's event whose lease is genuine and says the same as the event and the stream that it came on. */
export interface Report {
  event: WorkerEvent;
  lease: Lease;
}

export type ReadResult = { ok: true; report: Report } | { ok: false; reason: string };

/**
 * Reads what came on a worker type's event stream. The stream is the type's own, but its content is a stranger's: only
 * a lease that this system signed for that type, job and attempt makes it a report.
 */
export function readReport(key: KeyObject, workerType: string, body: unknown): ReadResult {
  const parsed = workerEventSchema.safeParse(body);
  if (!parsed.success) {
    return {
      ok: false,
      reason: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    };
  }
  const event = parsed.data as WorkerEvent;
  const lease = readLease(key, event.lease);
  if (!lease) return { ok: false, reason: 'the lease was not signed here' };
  if (lease.jobId !== event.jobId || lease.attempt !== event.attempt) {
    return { ok: false, reason: 'the lease is of another job or attempt' };
  }
  if (lease.workerType !== workerType) return { ok: false, reason: 'the lease is of another worker type' };
  return { ok: true, report: { event: tame(event), lease } };
}

/** A result that the database cannot hold is the function's fault, not a reason to lose the report. */
function tame(event: WorkerEvent): WorkerEvent {
  if (event.type !== 'completed' || (typeof event.value !== 'object' && typeof event.value !== 'string')) return event;
  if (!isDeeperThan(event.value) && isStorable(event.value)) return event;
  const { value: _, type: __, ...head } = event;
  return {
    ...head,
    type: 'failed',
    error: {
      kind: 'permanent',
      code: 'invalid_output',
      message: 'the result cannot be stored: it nests too deeply, or a text in it holds NUL or half a character',
    },
  };
}
