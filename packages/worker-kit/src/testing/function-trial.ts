import {
  deliveryId,
  newId,
  type BlobRef,
  type JobId,
  type JobMessage,
  type JsonValue,
  type LogLine,
  type NewItems,
  type ProfileId,
  type WorkerEvent,
} from '@connecta/contracts';
import { compileCatalogue } from '../function/catalogue.ts';
import { FunctionError } from '../function/function-error.ts';
import type { ChildOrder, ChildOrderRequest, FunctionLog, WorkerFunction } from '../function/function.ts';
import { redactorOf } from '../logs/redact.ts';
import type { Settings } from '../profiles/pointers.ts';
import { JobRunner } from '../runner/job-runner.ts';
import type { LoadedProfile, ReportChannel } from '../runner/ports.ts';
import { MemoryBlobs } from './memory-blobs.ts';

/** What a trial run gives a function. */
export interface TrialRun {
  settings?: Settings;
  /** The value; a blob of this trial by its reference; `{file: …}` for a legacy file. */
  input: JsonValue | BlobRef;
  params?: { [name: string]: JsonValue };
  context?: BlobRef;
  /** Which attempt it is; 1 by default. */
  attempt?: number;
  /** Aborts the function's signal, as a cancelled order would. */
  signal?: AbortSignal;
  /** Answers child orders. */
  placeOrder?: (request: ChildOrderRequest) => Promise<ChildOrder>;
}

/** What came of it. */
export interface TrialOutcome {
  value: JsonValue;
  /** As they travel: over 8 KiB of JSON a blob of this trial. */
  newItems?: NewItems;
  context?: BlobRef;
  /** Everything that was reported, in order; the last one is the end. */
  reports: WorkerEvent[];
  /** What the function logged, as it would be kept. */
  logs: LogLine[];
}

/**
 * Runs functions in isolation, exactly as a runner does: settings, input and output are checked against the schemas,
 * defaults filled in, large results made blobs. Blobs are in memory.
 */
export class FunctionTrial {
  readonly blobs = new MemoryBlobs();

  /** @throws FunctionError with what would have been reported when the attempt fails; `context` tells its checkpoint. */
  async run(definition: WorkerFunction, run: TrialRun): Promise<TrialOutcome> {
    const reports: WorkerEvent[] = [];
    const logs: LogLine[] = [];
    const jobId = newId<JobId>();
    const publish = (events: readonly WorkerEvent[]): Promise<void> => {
      reports.push(...events);
      return Promise.resolve();
    };
    const runner = this.#runner(load(definition, run.settings ?? {}), run, { reports: { publish }, logs });
    const attempt = run.attempt ?? 1;
    const abort = (): void => runner.abort('cancelled', { jobId, attempt });
    const over = runner.handle({ id: deliveryId(jobId, attempt), data: message(run) });
    if (run.signal?.aborted) abort();
    run.signal?.addEventListener('abort', abort, { once: true });
    await over;
    run.signal?.removeEventListener('abort', abort);
    return outcome(reports, logs);
  }

  #runner(
    profile: LoadedProfile,
    run: TrialRun,
    { reports, logs }: { reports: ReportChannel; logs: LogLine[] },
  ): JobRunner {
    const noOrders = (): Promise<ChildOrder> => Promise.reject(new Error('this trial answers no child orders'));
    return new JobRunner({
      instance: 'trial',
      profiles: { peek: () => profile, load: () => Promise.resolve(profile) },
      reports,
      blobs: { forAttempt: () => this.blobs },
      orders: { place: (_attempt, request) => (run.placeOrder ?? noOrders)(request) },
      logs: { keep: (_attempt, line) => void logs.push(line) },
      log: SILENT,
    });
  }
}

/** What a failed trial throws. */
export class TrialFailure extends FunctionError {
  readonly context: BlobRef | undefined;
  readonly reports: readonly WorkerEvent[];
  readonly logs: readonly LogLine[];

  constructor(
    report: Extract<WorkerEvent, { type: 'failed' }>,
    reports: readonly WorkerEvent[],
    logs: readonly LogLine[],
  ) {
    const { retryAfterMs } = report;
    super(
      report.error.kind,
      report.error.code,
      report.error.message,
      retryAfterMs === undefined ? {} : { retryAfterMs },
    );
    this.context = report.context;
    this.reports = reports;
    this.logs = logs;
  }
}

const ignore = (): void => undefined;
const SILENT: FunctionLog & { child(): FunctionLog } = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => SILENT,
};

function load(definition: WorkerFunction, given: Settings): LoadedProfile {
  const entry = compileCatalogue([definition]).get(definition.name);
  if (!entry) throw new Error('the catalogue lost its function');
  const settings = structuredClone(given);
  const faults = entry.settings.faults(settings);
  if (faults.length > 0)
    throw new FunctionError(
      'permanent',
      'invalid_settings',
      faults.map((f) => `${f.path || '/'} ${f.message}`).join('; '),
    );
  entry.fillSettingDefaults(settings);
  return { entry, settings, redact: redactorOf(definition.settingsSchema, settings) };
}

function message(run: TrialRun): JobMessage {
  const { params, context } = run;
  return {
    ...inputOf(run.input),
    profileId: newId<ProfileId>(),
    profileRevision: 1,
    lease: 'trial',
    traceparent: '00-00000000000000000000000000000001-0000000000000001-01',
    ...(params === undefined ? {} : { params }),
    ...(context === undefined ? {} : { context }),
  };
}

function inputOf(input: TrialRun['input']): Partial<JobMessage> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { value: input };
  if ('blobId' in input) {
    const { blobId, ...blob } = input as BlobRef;
    return { blobId, blob };
  }
  return 'file' in input ? { file: input.file as NonNullable<JobMessage['file']> } : { value: input };
}

function outcome(reports: WorkerEvent[], logs: LogLine[]): TrialOutcome {
  const end = reports.at(-1);
  if (end?.type === 'failed') throw new TrialFailure(end, reports, logs);
  if (end?.type !== 'completed') throw new Error('the attempt reported no end');
  const { value, newItems, context } = end;
  return {
    value,
    ...(newItems === undefined ? {} : { newItems }),
    ...(context === undefined ? {} : { context }),
    ...{ reports, logs },
  };
}
