import type {
  BlobRef,
  EndedJobState,
  HistoryEvent,
  JobError,
  JobId,
  JsonValue,
  OrderState,
  Progress,
  StepState,
} from '@connecta/contracts';
import type { CompiledPlan, TaskStep } from '@connecta/domain';
import type { ChangedJob, EngineJob, JobMove, LockedOrder, NewJob, OrderWrite } from '@connecta/store';
import type { Command } from '../command.ts';

/** What a batch found out about one locked order and is going to write of it. */
export class Ledger {
  readonly order: LockedOrder;
  readonly plan: CompiledPlan;
  readonly events: HistoryEvent[] = [];
  readonly newJobs: NewJob[] = [];
  readonly moves: JobMove[] = [];
  readonly commands: Command[] = [];
  /** Steps that ended with this batch. */
  readonly ended = new Map<string, EndedJobState>();
  /** Results of completed steps, as far as they are at hand. */
  readonly results = new Map<string, JsonValue>();
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

  /** Notes a step's state; the order's own progress is left as it was read. */
  mark(step: string, state: StepState): void {
    if (this.progress === this.order.progress) this.progress = { ...this.progress };
    this.progress[step] = state;
  }

  /** Has an attempt sent out after the commit. */
  command(job: NewJob, attempt: number, context: BlobRef | null): void {
    const step = this.plan.steps.get(job.step) as TaskStep | undefined;
    const params = { ...this.order.params, ...step?.params };
    this.commands.push({ job, attempt, context, params, traceparent: this.order.traceparent });
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
export function headOf(job: ChangedJob): { type: 'job'; step: string; jobId: JobId; attempt: number } {
  return { type: 'job', step: job.step, jobId: job.id, attempt: job.attempt };
}

/** What a move's decision was made on. */
export function fromOf(job: EngineJob): Pick<JobMove, 'id' | 'fromAttempt' | 'fromState'> {
  return { id: job.id, fromAttempt: job.attempt, fromState: job.state };
}
