import type { JobId, LogLine, ProfileId, WorkerEvent } from '@connecta/contracts';
import type { CatalogueEntry } from '../function/catalogue.ts';
import type { ChildOrder, ChildOrderRequest, FunctionLog, JobBlobs } from '../function/function.ts';
import type { Redact } from '../logs/redact.ts';
import type { Settings } from '../profiles/pointers.ts';

/** An attempt as other parties know it. */
export interface AttemptIdentity {
  readonly jobId: JobId;
  readonly attempt: number;
  readonly lease: string;
  readonly traceparent: string;
  readonly signal: AbortSignal;
}

/** Where reports go. Resolves when they are safe. */
export interface ReportChannel {
  publish(events: readonly WorkerEvent[]): Promise<void>;
}

/** Gives an attempt its blobs. */
export interface BlobAccess {
  forAttempt(attempt: AttemptIdentity): JobBlobs;
}

/** Keeps what functions log with their attempts. Never fails and never waits. */
export interface LogKeeper {
  keep(attempt: AttemptIdentity, line: LogLine): void;
}

/** Places child orders. */
export interface ChildOrders {
  place(attempt: AttemptIdentity, request: ChildOrderRequest): Promise<ChildOrder>;
}

/** A profile at one revision, ready to run with. */
export interface LoadedProfile {
  readonly entry: CatalogueEntry;
  readonly settings: Settings;
  /** Takes the secrets among the settings out of a text. */
  readonly redact: Redact;
}

/** Where profiles come from. */
export interface ProfileSource {
  /** The profile when it is at hand: no promise on the hot path. */
  peek(profileId: ProfileId, revision: number): LoadedProfile | undefined;
  /** @throws FunctionError when there is none, or it no longer fits its function. */
  load(profileId: ProfileId, revision: number): Promise<LoadedProfile>;
}

/** What every attempt of a runner shares. */
export interface RunnerParts {
  readonly instance: string;
  readonly profiles: ProfileSource;
  readonly reports: ReportChannel;
  readonly blobs: BlobAccess;
  readonly orders: ChildOrders;
  /** Absent: what functions log is not kept. */
  readonly logs?: LogKeeper;
  /** Whose functions these are: named where a result breaks its schema. */
  readonly producer?: { readonly type: string; readonly team: string };
  /** Made anew for an attempt only when its function logs. */
  readonly log: FunctionLog & { child(fields: object): FunctionLog };
}

/** Why an attempt's signal was aborted. */
export type AbortReason = 'cancelled' | 'stale' | 'runner_stopped';

/** What an attempt holds, as a heartbeat tells it. */
export interface HeldAttempt {
  jobId: JobId;
  attempt: number;
  progress?: number;
}
