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
import type { CompiledPlan } from '@connecta/domain';
import type {
  ChangedJob,
  ChildOrder,
  EngineJob,
  JobMove,
  LockedOrder,
  NewJob,
  OrderWrite,
  OtherJob,
  StepFact,
  WaitEndRow,
} from '@connecta/store';
import type { Command } from '../command.ts';

/** What a batch found out about one locked order and is going to write of it. */
export class Ledger {
  readonly order: LockedOrder;
  readonly plan: CompiledPlan;
  readonly events: HistoryEvent[] = [];
  readonly newJobs: NewJob[] = [];
  readonly otherJobs: OtherJob[] = [];
  readonly waitEnds: WaitEndRow[] = [];
  readonly children: ChildOrder[] = [];
  readonly moves: JobMove[] = [];
  readonly commands: Command[] = [];
  /** Steps that ended with this batch, and the edges that waits among them took. */
  readonly ended = new Map<string, EndedJobState>();
  readonly outcomes = new Map<string, Edge>();
  /** What is at hand of the steps that have ended. */
  readonly facts = new Map<string, StepFact>();
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

  /** Notes a step's state; the order's own progress is left as it was read. */
  mark(step: string, state: StepState): void {
    if (this.progress === this.order.progress) this.progress = { ...this.progress };
    this.progress[step] = state;
  }

  /** Notes that a step completed. */
  complete(step: string, result: JsonValue, outcome: Edge | null = null): void {
    this.ended.set(step, 'completed');
    if (outcome) this.outcomes.set(step, outcome);
    this.facts.set(step, { state: 'completed', result, error: null, outcome });
  }

  /** Notes that a step ended in error. */
  fail(step: string, error: JobError): void {
    this.ended.set(step, 'error');
    this.facts.set(step, { state: 'error', result: null, error, outcome: null });
  }

  /** Has an attempt sent out after the commit. */
  command(job: NewJob, attempt: number, context: BlobRef | null): void {
    const step = this.plan.steps.get(job.step);
    const own = step?.kind === 'task' ? step.params : undefined;
    this.commands.push({
      ...{ job, attempt, context },
      params: { ...this.order.params, ...own },
      traceparent: this.order.traceparent,
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
