import type { JsonValue } from '@connecta/contracts';
import type { FunctionLog } from '@connecta/worker-kit';

/** What a legacy program is given of a job: files, since it knows nothing else. */
export interface LegacyJob<Settings> {
  /** Unique among all runs of all attempts of all jobs; safe in a file name. Begins with the job's id. */
  readonly id: string;
  readonly settings: Settings;
  readonly params: { readonly [name: string]: JsonValue };
  /** A folder of this run alone, removed after it. */
  readonly folder: string;
  /** The input's path, in `folder`. */
  readonly input: string;
  /** Aborted when the job ends from outside or its time limit is over; its reason is what to throw. */
  readonly signal: AbortSignal;
  readonly log: FunctionLog;
}

/**
 * One run of a legacy program: launch → wait → collect, then always end. Each throws a FunctionError that says what an
 * operator needs to know.
 */
export interface LegacyRun {
  /** Starts the program or hands the input to one that runs already. */
  launch(): Promise<void>;
  /** Resolves when the program says that it is done; rejects when it failed, or soon after `signal` is aborted. */
  wait(): Promise<void>;
  /** The path of the whole output, in the job's folder. */
  collect(): Promise<string>;
  /** Leaves nothing behind: no process, no file outside the job's folder. May be called after any of the others. */
  end(): Promise<void>;
}

/**
 * A kind of legacy program. This is all that a new legacy worker writes: `runLegacy` brings the input from a blob or a
 * share, keeps the time limit, checks and stores the output, and cleans up.
 */
export interface LegacyProgram<Settings> {
  /** Gets ready to run; nothing is started yet and nothing lies outside of the job's folder. */
  prepare(job: LegacyJob<Settings>): Promise<LegacyRun>;
}
