import type {
  BlobRef,
  Edge,
  EndedJobState,
  HistoryEvent,
  JobError,
  JobId,
  JsonValue,
  OrderState,
  Progress,
  StepState,
} from '@connecta/contracts';
import { functionParams, timersOfJob, type CompiledPlan, type PlannedStep } from '@connecta/domain';
import type { ChangedJob, EngineJob, JobMove, LockedOrder, NewJob, OrderWrite, StepFact } from '@connecta/store';
import type { Command } from '../command.ts';
import { Extras, NO_EXTRAS, type ReadonlyExtras } from './extras.ts';
import { stepsFrom } from './steps-from.ts';

/** What a batch found out about one locked order and is going to write of it. */
export class Ledger {
  readonly order: LockedOrder;
  readonly plan: CompiledPlan;
  readonly events: HistoryEvent[] = [];
  readonly newJobs: NewJob[] = [];
  readonly commands: Command[] = [];
  /** Steps that ended with this batch. */
  readonly ended = new Map<string, EndedJobState>();
  /** What is at hand of the steps that have ended. */
  readonly facts = new Map<string, StepFact>();
  #forced: ReadonlySet<string> | undefined;
  #extras: Extras | undefined;
  /** What the functions of steps without params of their own see. */
  #params: { [name: string]: JsonValue } | undefined;
  /** The order's input, when it was read. */
  input: { value: JsonValue } | undefined;
  state: OrderState;
  progress: Progress;
  result: JsonValue | undefined;
  error: JobError | undefined;

  constructor(order: LockedOrder, plan: CompiledPlan) {
    this.order = order;
    this.plan = plan;
    this.state = order.state;
    this.progress = order.progress;
  }

  get extras(): ReadonlyExtras {
    return this.#extras ?? NO_EXTRAS;
  }

  /** The extras to write to. */
  openExtras(): Extras {
    return (this.#extras ??= new Extras());
  }

  /** Notes a job's state; of an item only its head's counters tell. The order's own progress is left as it was read. */
  mark(step: string, state: StepState, item = 0): void {
    if (item > 0) return;
    if (this.progress === this.order.progress) this.progress = { ...this.progress };
    this.progress[step] = state;
  }

  /** True of a step that runs in any case. */
  isForced(step: string): boolean {
    const { rerunFrom } = this.order;
    if (rerunFrom === null) return false;
    this.#forced ??= stepsFrom(this.plan, rerunFrom);
    return this.#forced.has(step);
  }

  /** The params that a step's function sees. */
  paramsOf(step: PlannedStep | undefined): { [name: string]: JsonValue } {
    const own = step?.kind === 'task' ? step.params : undefined;
    if (own !== undefined) return functionParams(this.order.params, own);
    return (this.#params ??= functionParams(this.order.params));
  }

  /** Notes that a job completed: a step, or an item of one. */
  complete(
    { step, item, context = null, returned = false }: Pick<ChangedJob, 'step' | 'item' | 'context' | 'returned'>,
    result: JsonValue,
    outcome: Edge | null = null,
  ): void {
    if (item > 0) {
      this.#endItem(step, { returned: returned ? 1 : 0 });
      return;
    }
    this.ended.set(step, 'completed');
    if (outcome) this.openExtras().outcomes.set(step, outcome);
    this.facts.set(step, { state: 'completed', result, error: null, outcome, context });
  }

  /** Notes that a job ended in error: a step, or an item of one. */
  fail({ step, item }: Pick<ChangedJob, 'step' | 'item'>, error: JobError): void {
    if (item > 0) {
      this.#endItem(step, { failed: 1 });
      return;
    }
    this.ended.set(step, 'error');
    this.facts.set(step, { state: 'error', result: null, error, outcome: null });
  }

  /** Notes that a job will not run: a step, or an item of one. */
  skip({ step, item }: Pick<ChangedJob, 'step' | 'item'>): void {
    if (item > 0) this.#endItem(step, {});
    else this.ended.set(step, 'skipped');
  }

  /** Has an attempt sent out after the commit. */
  command(job: NewJob, attempt: number, context: BlobRef | null): void {
    const step = this.plan.steps.get(job.step);
    const params = this.paramsOf(step);
    const timers = step && timersOfJob(step);
    const { traceparent, priority } = this.order;
    this.commands.push({ job, attempt, context, params, timers, traceparent, priority });
  }

  #endItem(step: string, { failed = 0, returned = 0 }: { failed?: number; returned?: number }): void {
    const { itemEnds } = this.openExtras();
    const ends = itemEnds.get(step) ?? { done: 0, failed: 0, returned: 0 };
    itemEnds.set(step, {
      done: ends.done + 1,
      failed: ends.failed + failed,
      returned: ends.returned + returned,
    });
  }

  get write(): OrderWrite {
    const { id, version } = this.order;
    return {
      id,
      state: this.state,
      version: version + this.events.length,
      progress: this.progress,
      ...(this.result === undefined ? {} : { result: this.result }),
      ...(this.error === undefined ? {} : { error: this.error }),
    };
  }
}

/** The head of an event about a job. */
export function headOf(job: ChangedJob): { type: 'job'; step: string; item?: number; jobId: JobId; attempt: number } {
  const { step, item, id, attempt } = job;
  return { type: 'job', step, ...(item === 0 ? {} : { item }), jobId: id, attempt };
}

/** What a move's decision was made on. */
export function fromOf(job: EngineJob): Pick<JobMove, 'id' | 'fromAttempt' | 'fromState'> {
  return { id: job.id, fromAttempt: job.attempt, fromState: job.state };
}
