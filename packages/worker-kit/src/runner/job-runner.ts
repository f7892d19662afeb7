import {
  deliveryId,
  RUNNER_STOPPED,
  describeBreach,
  parseDeliveryId,
  type JobId,
  type JobMessage,
  type JsonValue,
  type NewItems,
  type WorkerEvent,
} from '@connecta/contracts';
import type { CatalogueEntry } from '../function/catalogue.ts';
import { FunctionError } from '../function/function-error.ts';
import type { FunctionResult } from '../function/function.ts';
import { tellFields } from '../logs/redact.ts';
import { Attempt } from './attempt.ts';
import { fetchFiles, holdsFiles } from './fetch-files.ts';
import { inlineInput, readInput } from './input.ts';
import { toJobError } from './job-error.ts';
import type { AbortReason, HeldAttempt, RunnerParts } from './ports.ts';
import { ReportClock } from './report-clock.ts';
import { assertJson, assertResult, travelForm } from './result.ts';

/** A delivery from the queue. */
export interface JobDelivery {
  id: string;
  data: JobMessage;
}

type EndReport = Extract<WorkerEvent, { type: 'completed' | 'failed' }>;

/**
 * Runs deliveries: settings, input, function, result, reports. What it costs beside the function is paid by every job
 * of the type, so a job whose profile is cached and whose value is inline waits for nothing but its function and its
 * report.
 */
export class JobRunner {
  readonly #parts: RunnerParts;
  readonly #clock: ReportClock<Attempt>;
  readonly #running = new Map<string, Attempt>();

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#clock = new ReportClock((due, nowMs) => {
      const reports = due.flatMap((attempt) => attempt.takeReports(nowMs));
      parts.reports.publish(reports).catch((err: unknown) => parts.log.warn({ err }, 'a start was not reported'));
    });
  }

  /** Runs one delivery; resolves when its end is reported and safe. Rejects when it could not be reported. `letGo` is
   * called when the report is on its way. */
  async handle(delivery: JobDelivery, letGo: () => void = () => {}): Promise<void> {
    const id = parseDeliveryId(delivery.id);
    if (!id || !isMessage(delivery.data)) {
      this.#parts.log.error({ delivery: delivery.id }, 'a delivery that is none was dropped');
      return;
    }
    // The same attempt delivered twice (the store's doing) is the same work: the first one goes on.
    if (this.#running.has(delivery.id)) return;
    const attempt = new Attempt({
      parts: this.#parts,
      clock: this.#clock,
      ...id,
      message: delivery.data,
      nowMs: Date.now(),
    });
    this.#running.set(delivery.id, attempt);
    this.#clock.begin(attempt);
    try {
      const report = await this.#run(attempt, delivery.data);
      if (attempt.abortReason === 'stale') {
        attempt.ownLog().warn({ outcome: report.type }, 'the attempt was superseded: its result will be kept aside');
        // That it ended early because it was told to is no news; a result is, and is shown beside the winning one.
        if (report.type !== 'completed') return;
      }
      const published = this.#parts.reports.publish([report]);
      letGo();
      await published;
    } finally {
      this.#running.delete(delivery.id);
    }
  }

  /** What runs here now. */
  held(): HeldAttempt[] {
    return [...this.#running.values()].map((attempt) => attempt.held());
  }

  /** Aborts an attempt when it runs here. */
  abort(reason: AbortReason, which: { jobId: string; attempt: number }): void {
    this.#running.get(deliveryId(which.jobId as JobId, which.attempt))?.abort(reason);
  }

  /** Aborts everything that still runs. */
  abortAll(reason: AbortReason): void {
    for (const attempt of this.#running.values()) attempt.abort(reason);
  }

  /** Ends the clock of reports; what still runs can report its end only. */
  close(): void {
    this.#clock.stop();
  }

  async #run(attempt: Attempt, given: JobMessage): Promise<EndReport> {
    try {
      const profile =
        this.#parts.profiles.peek(given.profileId, given.profileRevision) ??
        (await this.#parts.profiles.load(given.profileId, given.profileRevision));
      const { definition } = profile.entry;
      attempt.functionName = definition.name;
      attempt.settings = profile.settings;
      attempt.redact = profile.redact;
      const wantsBlobs = definition.fileInput !== 'file' && holdsFiles(given);
      const message = wantsBlobs ? await fetchFiles(given, attempt.placeOrder) : given;
      const inline = inlineInput(message, definition.jsonBlobInput ?? 'value');
      const takesFiles = definition.fileInput === 'file';
      attempt.input = inline === undefined ? await readInput(message, attempt.blobs, takesFiles) : inline;
      if (!profile.entry.input.fits(attempt.input)) throw invalidInput(profile.entry, attempt.input);
      const result: unknown = await definition.run(attempt);
      return await this.#completed(attempt, profile.entry, result);
    } catch (error) {
      return this.#failed(attempt, error);
    }
  }

  async #completed(attempt: Attempt, entry: CatalogueEntry, result: unknown): Promise<EndReport> {
    assertResult(result);
    const checked: FunctionResult = result;
    assertJson(checked.value);
    if (!entry.output.fits(checked.value)) throw invalidOutput(entry, checked.value, this.#parts.producer);
    const travelling = travelForm(checked.value, () => attempt.blobs);
    const value: JsonValue = travelling instanceof Promise ? await travelling : travelling;
    const functionVersion = entry.definition.version;
    const report: EndReport = { type: 'completed', ...this.#end(attempt), value, functionVersion };
    if (checked.newItems) report.newItems = (await travelForm(checked.newItems, () => attempt.blobs)) as NewItems;
    if (checked.context) report.context = checked.context;
    return report;
  }

  #failed(attempt: Attempt, thrown: unknown): EndReport {
    const { abortReason } = attempt;
    const { error, retryAfterMs } = toJobError(abortReason === undefined ? thrown : abortedError(abortReason, thrown));
    const told = { err: thrown, kind: error.kind, code: error.code };
    // What nobody foresaw is kept with its stack, for those who look into it.
    if (error.code === 'function_error') attempt.log.error(told, 'the attempt failed');
    else attempt.ownLog().debug(tellFields(told, attempt.redact), 'the attempt failed');
    error.message = attempt.redact(error.message);
    const report: EndReport = { type: 'failed', ...this.#end(attempt), error };
    if (attempt.checkpoint) report.context = attempt.checkpoint;
    if (retryAfterMs !== undefined) report.retryAfterMs = retryAfterMs;
    return report;
  }

  #end(attempt: Attempt): ReturnType<Attempt['head']> & { startedAt?: string } {
    this.#clock.end(attempt);
    const head = attempt.head(Date.now());
    return attempt.end() ? { ...head, startedAt: new Date(attempt.startedAtMs).toISOString() } : head;
  }
}

/** What the hot path relies on; be-api and the engine wrote the message, so this is no validation of a stranger. */
function isMessage(data: JobMessage): boolean {
  return (
    typeof (data as Partial<JobMessage>).profileId === 'string' &&
    typeof (data as Partial<JobMessage>).profileRevision === 'number' &&
    typeof (data as Partial<JobMessage>).lease === 'string'
  );
}

function invalidInput(entry: CatalogueEntry, input: JsonValue): FunctionError {
  const faults = entry.input.faults(input).map((fault) => `${fault.path || '/'} ${fault.message}`);
  const told = faults.slice(0, 10).join('; ');
  return new FunctionError('permanent', 'invalid_input', `${entry.definition.name} cannot take this input: ${told}`);
}

/** Names who made the result: the breach is the producer's, not that of whoever works with it next. */
function invalidOutput(entry: CatalogueEntry, value: JsonValue, producer: RunnerParts['producer']): FunctionError {
  const { name, version } = entry.definition;
  const faults = entry.output.faults(value).map((fault) => `${fault.path || '/'} ${fault.message}`);
  const message = describeBreach({ function: name, version, ...producer }, faults);
  return new FunctionError('permanent', 'invalid_output', message);
}

function abortedError(reason: AbortReason, cause: unknown): FunctionError {
  if (reason === 'runner_stopped')
    return new FunctionError('retryable', RUNNER_STOPPED, 'the runner had to stop', { cause, retryAfterMs: 0 });
  return new FunctionError('permanent', reason, `the attempt was aborted: ${reason}`, { cause });
}
