import type { BlobRef, JobMessage, JobId, JsonValue, WorkerEvent } from '@connecta/contracts';
import type { ChildOrder, ChildOrderRequest, FunctionContext, FunctionLog, JobBlobs } from '../function/function.ts';
import { attemptLog } from '../logs/attempt-log.ts';
import { NOTHING_SECRET, type Redact } from '../logs/redact.ts';
import type { AbortReason, AttemptIdentity, HeldAttempt, RunnerParts } from './ports.ts';
import type { ReportClock } from './report-clock.ts';

const NO_PARAMS: FunctionContext['params'] = Object.freeze({});

/**
 * One attempt while it runs: what its function sees, and what was told of it so far. States: begun → told (its start
 * was reported on its own) → over. Everything that a short job does not need (signal, log, blobs) is made on demand.
 */
export class Attempt implements FunctionContext, AttemptIdentity {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly lease: string;
  readonly traceparent: string;
  readonly params: FunctionContext['params'];
  readonly context: BlobRef | undefined;
  readonly contexts: FunctionContext['contexts'];
  readonly startedAtMs: number;
  settings: unknown = undefined;
  input: JsonValue = null;
  functionName = '';
  /** Takes the secrets of the profile out of a text; known with the profile. */
  redact: Redact = NOTHING_SECRET;
  /** What the next attempt begins from: the newest checkpoint, before that what this one was given. */
  checkpoint: BlobRef | undefined;
  readonly #parts: RunnerParts;
  readonly #clock: ReportClock<Attempt>;
  #state: 'begun' | 'told' | 'over' = 'begun';
  #fraction: number | undefined;
  #controller: AbortController | undefined;
  #abortReason: AbortReason | undefined;
  #log: FunctionLog | undefined;
  #blobs: JobBlobs | undefined;

  constructor(options: {
    parts: RunnerParts;
    clock: ReportClock<Attempt>;
    jobId: JobId;
    attempt: number;
    message: JobMessage;
    nowMs: number;
  }) {
    this.#parts = options.parts;
    this.#clock = options.clock;
    this.jobId = options.jobId;
    this.attempt = options.attempt;
    this.lease = options.message.lease;
    this.traceparent = options.message.traceparent;
    this.params = options.message.params ?? NO_PARAMS;
    this.context = options.message.context;
    this.contexts = options.message.contexts;
    this.startedAtMs = options.nowMs;
  }

  get job(): FunctionContext['job'] {
    return this;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortReason) this.#controller.abort(abortError(this.#abortReason));
    }
    return this.#controller.signal;
  }

  get log(): FunctionLog {
    const { logs: keeper } = this.#parts;
    return (this.#log ??= attemptLog({ attempt: this, own: this.ownLog(), keeper, redact: () => this.redact }));
  }

  /** For what the runner itself has to say of the attempt: it is not kept. */
  ownLog(): FunctionLog {
    const { jobId, attempt, traceparent } = this;
    return this.#parts.log.child({ jobId, attempt, function: this.functionName, traceparent });
  }

  get blobs(): JobBlobs {
    return (this.#blobs ??= this.#parts.blobs.forAttempt(this));
  }

  get abortReason(): AbortReason | undefined {
    return this.#abortReason;
  }

  /** Aborts the function's signal; the first reason stays. */
  abort(reason: AbortReason): void {
    if (this.#state === 'over' || this.#abortReason) return;
    this.#abortReason = reason;
    this.#controller?.abort(abortError(reason));
  }

  // Properties, not methods: functions take them out of the context (`const { progress } = context`).
  readonly placeOrder = (request: ChildOrderRequest): Promise<ChildOrder> => this.#parts.orders.place(this, request);

  readonly progress = async (fraction: number, checkpoint?: BlobRef): Promise<void> => {
    if (this.#state === 'over' || this.#abortReason) return;
    this.#fraction = Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0));
    if (checkpoint === undefined) {
      this.#clock.tellLater(this);
      return;
    }
    this.checkpoint = checkpoint;
    this.#clock.toldNow(this);
    await this.#parts.reports.publish(this.takeReports(Date.now(), checkpoint));
  };

  /** The reports that are due: the start when it was not told, and the progress. */
  takeReports(nowMs: number, checkpoint?: BlobRef): WorkerEvent[] {
    const reports: WorkerEvent[] = [];
    if (this.#state === 'begun') {
      this.#state = 'told';
      reports.push({ type: 'started', ...this.head(this.startedAtMs) });
    }
    if (this.#fraction !== undefined) {
      const progress = { type: 'progress' as const, ...this.head(nowMs), progress: this.#fraction };
      reports.push(checkpoint === undefined ? progress : { ...progress, context: checkpoint });
    }
    return reports;
  }

  /** Ends the attempt; true when its start was not told, so that the end has to tell it. */
  end(): boolean {
    const untold = this.#state === 'begun';
    this.#state = 'over';
    return untold;
  }

  /** What every report begins with. */
  head(atMs: number): { jobId: JobId; attempt: number; lease: string; instance: string; at: string } {
    const { jobId, attempt, lease } = this;
    return { jobId, attempt, lease, instance: this.#parts.instance, at: new Date(atMs).toISOString() };
  }

  held(): HeldAttempt {
    const { jobId, attempt } = this;
    return this.#fraction === undefined ? { jobId, attempt } : { jobId, attempt, progress: this.#fraction };
  }
}

function abortError(reason: AbortReason): Error {
  return new DOMException(`the attempt was aborted: ${reason}`, 'AbortError');
}
