import { createHash, type KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  INLINE_VALUE_BYTES,
  NO_FOR_EACH,
  Problem,
  deliveryId,
  jsonBytes,
  type BlobRef,
  type JsonValue,
  type Lease,
  type WorkerEvent,
} from '@connecta/contracts';
import type { EventChannel } from '@connecta/queue';
import {
  confirmClaim,
  findAttemptError,
  findReportedJob,
  noteReport,
  type OrderWatch,
  type ReportedJob,
  type Store,
} from '@connecta/store';
import { leaseOf, refusalOf, type ShownLease } from './held-job.ts';
import type { OutputCheck } from './output-check.ts';
import { isSame, judgeReport, type ReportedEnd, type ReportVerdict } from './judge-report.ts';

/** How long the answer to an end waits for the engine; then the worker is asked to send it again. */
const OUTCOME_MS = 10_000;
/** A signal may get lost: the row is read again this often in any case. */
const SLOW_POLL_MS = 250;
/** How long a report may wait for the event stream. */
const PUBLISH_MS = 3_000;

/** An end with everything that goes with it. */
export type EndBody = ReportedEnd & {
  context?: BlobRef | undefined;
  startedAt?: string | undefined;
  retryAfterMs?: number | undefined;
  functionVersion?: string | undefined;
};

export interface ReportParts {
  store: Store;
  leaseKey: KeyObject;
  events: EventChannel;
  watch: OrderWatch;
  outputs: OutputCheck;
  stopping: AbortSignal;
}

/** An attempt that is held under the lease that was shown. */
interface HeldReport {
  lease: Lease;
  token: string;
  job: ReportedJob;
}

/**
 * What workers say over HTTP of the jobs they claimed. Reports take the way of all reports, the type's event stream, so
 * one place decides on them; the answer to an end waits until that place has.
 */
export class JobReports {
  readonly #parts: ReportParts;
  /** Confirmations under way, by attempt. */
  readonly #confirming = new Map<string, Promise<void>>();

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /** @throws Problem lease_invalid, not_found, stale_attempt, already_ended */
  async ack(shown: ShownLease): Promise<{ startBy: Date }> {
    const { job } = await this.#held(shown);
    return { startBy: new Date((job.ackedAt?.getTime() ?? Date.now()) + (job.startMs ?? 0)) };
  }

  /** @throws Problem as {@link ack}, and unavailable */
  async start(shown: ShownLease): Promise<{ completeBy: Date }> {
    const held = await this.#held(shown);
    await this.#publish(held.lease, [{ type: 'started', ...headOf(held) }]);
    return { completeBy: new Date(Date.now() + (held.job.completeMs ?? 0)) };
  }

  /** @throws Problem lease_invalid, not_found, unavailable */
  async beat(
    shown: ShownLease,
    told: { progress?: number | undefined; context?: BlobRef | undefined },
  ): Promise<{ cancel: boolean; stale: boolean; winningAttempt?: number }> {
    const { lease, job } = await this.#find(shown);
    if (refusalOf(job, lease.attempt)) {
      const cancel = job.state === 'cancelled' || job.orderState === 'cancelled';
      return cancel ? { cancel, stale: false } : { cancel, stale: true, winningAttempt: job.attempt };
    }
    await this.#confirm(lease);
    const { progress, context } = told;
    if (progress !== undefined || context) {
      const head = headOf({ lease, job, token: shown.lease });
      const started: WorkerEvent[] = job.state === 'started' ? [] : [{ type: 'started', ...head }];
      await this.#publish(lease, [...started, { type: 'progress', ...head, progress: progress ?? 0, context }]);
    }
    return { cancel: false, stale: false };
  }

  /**
   * Reports an end; resolves when it is recorded, now or earlier.
   *
   * @throws Problem lease_invalid, not_found, too_large; stale_attempt and already_ended (with `winningAttempt`) when it
   * changed nothing and was kept aside; unavailable when nobody has decided yet
   */
  async end(shown: ShownLease, told: EndBody): Promise<{ attempt: number; state: string }> {
    if (told.type === 'completed' && [told.value, told.newItems ?? null].some(isTooLarge)) {
      const message = `A value or new items over ${INLINE_VALUE_BYTES} bytes of JSON are stored as a blob first.`;
      throw new Problem('too_large', message);
    }
    const { lease, job } = await this.#find(shown);
    const hash = createHash('sha256').update(JSON.stringify(told)).digest('base64url');
    const { attempt } = lease;
    if (job.recordedHash === hash) return { attempt, state: job.state };
    const body = await this.#checked(job, told);
    const event: WorkerEvent = { ...headOf({ lease, job, token: shown.lease }), ...body };
    if (event.type === 'completed') event.functionVersion ??= job.functionVersion ?? undefined;
    let { verdict, state } = { verdict: await this.#judge(lease, job, body), state: job.state };
    // A refused report goes to the engine as well, once, which keeps it aside for people to see.
    if (verdict.is === 'refused' && job.refusedHash !== hash) await this.#publish(lease, [event]);
    if (verdict.is === 'open') ({ verdict, state } = await this.#outcome(lease, event, body));
    if (verdict.is === 'open') throw undecided();
    await noteReport(this.#parts.store, { ...lease, hash, recorded: verdict.is === 'recorded' });
    if (verdict.is === 'refused') throw verdict.problem;
    return { attempt, state };
  }

  /** A result that breaks its function's promise is a failure. */
  async #checked(job: ReportedJob, told: EndBody): Promise<EndBody> {
    if (told.type !== 'completed') return told;
    const isMisplaced = told.newItems !== undefined && job.item === 0;
    const error = isMisplaced ? NO_FOR_EACH : await this.#parts.outputs.errorOf(job, told.value);
    if (!error) return told;
    const { context, startedAt } = told;
    return { type: 'failed', error, context, startedAt };
  }

  /** Of a failure after which the job has gone on, the order's history tells whether it is this one. */
  async #judge(lease: Lease, job: ReportedJob, end: ReportedEnd): Promise<ReportVerdict> {
    const verdict = judgeReport(job, lease.attempt, end);
    if (verdict.is !== 'refused' || end.type !== 'failed') return verdict;
    return isSame(await findAttemptError(this.#parts.store, lease), end.error) ? { is: 'recorded' } : verdict;
  }

  /** Publishes an end, which acknowledges the claim as well, and waits for what the engine makes of it. */
  async #outcome(
    lease: Lease,
    event: WorkerEvent,
    end: ReportedEnd,
  ): Promise<{ verdict: ReportVerdict; state: ReportedJob['state'] }> {
    const { store, watch, stopping } = this.#parts;
    const endAtMs = performance.now() + OUTCOME_MS;
    const subscription = watch.subscribe(lease.orderId);
    try {
      await Promise.all([subscription.ready, this.#confirm(lease)]);
      await this.#publish(lease, [event]);
      for (;;) {
        await subscription.changed(Math.min(SLOW_POLL_MS, Math.max(endAtMs - performance.now(), 0)));
        const job = await findReportedJob(store, lease.jobId, lease.attempt);
        if (!job) throw new Problem('not_found', 'The job is gone.');
        const verdict = await this.#judge(lease, job, end);
        if (verdict.is !== 'open' || performance.now() >= endAtMs || stopping.aborted) {
          return { verdict, state: job.state };
        }
      }
    } finally {
      subscription.close();
    }
  }

  /** @throws Problem unavailable when the stream does not take it in time; it may have taken it all the same. */
  async #publish(lease: Lease, events: readonly WorkerEvent[]): Promise<void> {
    const bound = new AbortController();
    const late = sleep(PUBLISH_MS, 'late', { signal: bound.signal }).catch(() => 'late');
    const published = this.#parts.events.publish(lease.workerType, events);
    const outcome = await Promise.race([published.catch(() => 'late'), late]);
    bound.abort();
    if (outcome === 'late') throw undecided();
  }

  async #held(shown: ShownLease): Promise<HeldReport> {
    const { lease, job } = await this.#find(shown);
    const problem = refusalOf(job, lease.attempt);
    if (problem) throw problem;
    await this.#confirm(lease);
    return { lease, token: shown.lease, job };
  }

  /**
   * Confirms that an attempt is held; what arrives while that is under way shares it. A crowd of reports of one job, each
   * of which waits for the same row, would take the database's connections from everybody else, heartbeats included.
   */
  #confirm(lease: Lease): Promise<void> {
    const attempt = deliveryId(lease.jobId, lease.attempt);
    const known = this.#confirming.get(attempt);
    if (known) return known;
    const confirmed = confirmClaim(this.#parts.store, lease).finally(() => this.#confirming.delete(attempt));
    this.#confirming.set(attempt, confirmed);
    return confirmed;
  }

  async #find(shown: ShownLease): Promise<{ lease: Lease; job: ReportedJob }> {
    const lease = leaseOf(this.#parts.leaseKey, shown);
    const job = await findReportedJob(this.#parts.store, lease.jobId, lease.attempt);
    if (!job) throw new Problem('not_found', 'The job is gone.');
    return { lease, job };
  }
}

function isTooLarge(value: JsonValue | BlobRef): boolean {
  return jsonBytes(value) > INLINE_VALUE_BYTES;
}

function headOf({ lease, job, token }: HeldReport): Omit<Extract<WorkerEvent, { type: 'started' }>, 'type'> {
  const { jobId, attempt, workerType } = lease;
  return { jobId, attempt, lease: token, instance: job.instance ?? workerType, at: new Date().toISOString() };
}

function undecided(): Problem {
  return new Problem('unavailable', 'The report is not recorded yet; send it again.', {
    headers: { 'Retry-After': '1' },
  });
}
