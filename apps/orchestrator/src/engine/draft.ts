import {
  newId,
  type BlobRef,
  type EndedJobState,
  type HistoryEvent,
  type JobError,
  type JobId,
  type JsonValue,
  type OrderState,
  type Progress,
  type StepState,
} from '@connecta/contracts';
import {
  advance,
  begin,
  causesOfFailure,
  inputOf,
  resultOfOrder,
  resume,
  type Advance,
  type CompiledPlan,
  type PlannedStep,
  type RetryDecision,
} from '@connecta/domain';
import type { ChangedJob, EngineJob, JobMove, LockedOrder, NewJob, OrderWrite } from '@connecta/store';
import type { Command } from './command.ts';

/**
 * What a batch makes of one locked order. States: open (events are collected) → settled (what follows is decided).
 * Nothing is written here: the batch reads `write`, `events`, `newJobs` and `moves` when it commits.
 */
export class Draft {
  readonly order: LockedOrder;
  readonly plan: CompiledPlan;
  readonly events: HistoryEvent[] = [];
  readonly newJobs: NewJob[] = [];
  readonly moves: JobMove[] = [];
  readonly commands: Command[] = [];
  readonly #ended = new Map<string, EndedJobState>();
  readonly #results = new Map<string, JsonValue>();
  #progress: Progress;
  #next: Advance | undefined;
  #input: JsonValue = null;
  #state: OrderState;
  #result: JsonValue | undefined;
  #error: JobError | undefined;

  constructor(order: LockedOrder, plan: CompiledPlan) {
    this.order = order;
    this.plan = plan;
    this.#state = order.state;
    this.#progress = order.progress;
  }

  /** Makes an accepted order active: its roots are invoked. */
  launch(input: JsonValue): void {
    this.#input = input;
    this.#state = 'active';
    this.events.push({ type: 'order', state: 'active', epoch: this.order.epoch });
    this.#next = begin(this.plan);
  }

  /** Ends an accepted order that cannot be run at all. */
  refuse(error: JobError): void {
    this.#state = 'failed';
    this.#error = error;
    this.events.push({ type: 'order', state: 'failed', epoch: this.order.epoch, error });
  }

  complete(job: ChangedJob, instance: string, result: JsonValue): void {
    this.events.push({ ...headOf(job), state: 'completed', instance });
    this.#ended.set(job.step, 'completed');
    this.#results.set(job.step, result);
  }

  note(job: ChangedJob, state: 'queued' | 'started', instance?: string): void {
    this.events.push({ ...headOf(job), state, ...(instance === undefined ? {} : { instance }) });
    this.#mark(job.step, state);
  }

  /** Tries a job again under a new attempt (at once or after its backoff), or ends it in error. */
  retry(
    job: EngineJob,
    decision: RetryDecision,
    { context = null, startedAt = null }: { context?: BlobRef | null; startedAt?: string | null } = {},
  ): void {
    const { error, spent } = decision;
    const move = { ...fromOf(job), ...spent, error, context, startedAt, instance: job.instance };
    if (decision.next === 'end') {
      this.moves.push({ ...move, state: 'error', attempt: job.attempt, delayMs: 0 });
      this.events.push({ ...headOf(job), state: 'error', error });
      this.#ended.set(job.step, 'error');
    } else if (decision.delayMs > 0) {
      this.moves.push({ ...move, state: 'pending', attempt: job.attempt, delayMs: decision.delayMs });
      const notBefore = new Date(Date.now() + decision.delayMs).toISOString();
      this.events.push({ ...headOf(job), state: 'pending', error, notBefore });
      this.#mark(job.step, 'pending');
    } else {
      this.invokeAgain(job, { error, context, ...spent });
    }
  }

  /** Sends a job out under its next attempt. */
  invokeAgain(
    job: EngineJob,
    change: { error: JobError | null; context: BlobRef | null; failed: number; lost: number },
  ): void {
    const attempt = job.attempt + 1;
    const next = { state: 'invoked', attempt, startedAt: null, instance: null, delayMs: 0 } as const;
    this.moves.push({ ...fromOf(job), ...change, ...next });
    this.#mark(job.step, 'invoked');
    this.events.push({
      ...headOf(job),
      attempt,
      state: 'invoked',
      ...(change.error === null ? {} : { error: change.error }),
    });
    this.#command(job, attempt, change.context ?? job.context);
  }

  /** Decides what follows from the collected ends. Safe to call for an order that no longer moves. */
  settle(): void {
    if (this.#state !== 'active') return;
    if (this.#ended.size > 0) this.#next = advance(this.plan, this.#progress, this.#ended);
    if (!this.#next) return;
    for (const stopped of this.#next.stopped) this.events.push({ type: 'step', ...stopped });
    if (this.#next.outcome) this.#state = this.#next.outcome;
  }

  /** Decides what follows from the progress alone: what the reconciler does for an order with nothing on its way. */
  resume(): void {
    this.#next = resume(this.plan, this.#progress);
    if (this.#next.outcome) this.#state = this.#next.outcome;
  }

  /** The steps whose results are needed now and did not come with this batch. */
  missingResults(): string[] {
    const next = this.#next;
    if (!next) return [];
    const wanted = new Set(next.outcome === 'completed' ? this.plan.outputs : []);
    for (const name of next.ready) for (const need of this.plan.steps.get(name)?.needs ?? []) wanted.add(need);
    return [...wanted].filter((step) => next.progress[step] === 'completed' && !this.#results.has(step));
  }

  addResult(step: string, result: JsonValue): void {
    this.#results.set(step, result);
  }

  /** Makes the jobs and the order's end that `settle` decided on; all results are there now. */
  conclude(): void {
    const next = this.#next;
    if (!next) return;
    const resultOf = (step: string): JsonValue | undefined => this.#results.get(step);
    for (const name of next.ready) this.#invoke(name, resultOf);
    if (next.outcome === null) return;
    if (next.outcome === 'completed') this.#result = resultOfOrder(this.plan, resultOf);
    else {
      const causes = causesOfFailure(this.plan, next.progress).map((step) => `'${step}'`);
      this.#error = {
        kind: 'permanent',
        code: 'output_failed',
        message: `no result, because ${causes.join(', ')} failed: see ${causes.length === 1 ? 'its error' : 'their errors'}`,
      };
    }
    this.events.push({
      type: 'order',
      state: next.outcome,
      epoch: this.order.epoch,
      ...(this.#error ? { error: this.#error } : {}),
    });
  }

  get write(): OrderWrite {
    const { id, version } = this.order;
    return {
      id,
      state: this.#state,
      version: version + this.events.length,
      progress: this.#next?.progress ?? this.#progress,
      ...(this.#result === undefined ? {} : { result: this.#result }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  #mark(step: string, state: StepState): void {
    if (this.#progress === this.order.progress) this.#progress = { ...this.#progress };
    this.#progress[step] = state;
  }

  #invoke(name: string, resultOf: (step: string) => JsonValue | undefined): void {
    const step = this.plan.steps.get(name) as PlannedStep;
    const job: NewJob = {
      id: newId<JobId>(),
      orderId: this.order.id,
      step: name,
      item: 0,
      workerType: step.workerType,
      function: step.function,
      profileId: step.profileId,
      profileRevision: step.profileRevision,
      input: inputOf(step, this.#input, resultOf),
    };
    this.newJobs.push(job);
    this.events.push({ type: 'job', step: name, jobId: job.id, attempt: 1, state: 'invoked' });
    this.#command(job, 1, null);
  }

  #command(job: NewJob, attempt: number, context: BlobRef | null): void {
    const params = { ...this.order.params, ...this.plan.steps.get(job.step)?.params };
    this.commands.push({ job, attempt, context, params, traceparent: this.order.traceparent });
  }
}

function headOf(job: ChangedJob): { type: 'job'; step: string; jobId: JobId; attempt: number } {
  return { type: 'job', step: job.step, jobId: job.id, attempt: job.attempt };
}

function fromOf(job: EngineJob): Pick<JobMove, 'id' | 'fromAttempt' | 'fromState'> {
  return { id: job.id, fromAttempt: job.attempt, fromState: job.state };
}
