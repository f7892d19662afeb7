import { newId, type JobId, type JsonValue } from '@connecta/contracts';
import {
  advance,
  begin,
  causesOfFailure,
  inputOf,
  resultOfOrder,
  resume,
  timersOfJob,
  type Advance,
  type TaskStep,
} from '@connecta/domain';
import type { NewJob } from '@connecta/store';
import type { Ledger } from './ledger.ts';

/** What follows in an order from the steps that ended: decided first, made into jobs when all results are at hand. */
export class Following {
  readonly #ledger: Ledger;
  #next: Advance | undefined;
  #input: JsonValue = null;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** An order's first move. */
  begin(input: JsonValue): void {
    this.#input = input;
    this.#take(begin(this.#ledger.plan));
  }

  /** Decides what follows from the collected ends. */
  settle(): void {
    const { plan, progress, ended } = this.#ledger;
    if (ended.size > 0) this.#take(advance(plan, progress, ended));
  }

  /** Decides what follows from the progress alone. */
  resume(): void {
    this.#take(resume(this.#ledger.plan, this.#ledger.progress));
  }

  /** The steps whose results are needed now and are not at hand. */
  missingResults(): string[] {
    const next = this.#next;
    if (!next) return [];
    const { plan, results } = this.#ledger;
    const wanted = new Set(next.outcome === 'completed' ? plan.outputs : []);
    for (const name of next.ready) for (const need of plan.steps.get(name)?.needs ?? []) wanted.add(need);
    return [...wanted].filter((step) => next.progress[step] === 'completed' && !results.has(step));
  }

  /** Makes the jobs and the order's end that were decided on. */
  conclude(): void {
    const next = this.#next;
    if (!next) return;
    for (const name of next.ready) this.#invoke(name);
    if (next.outcome !== null) this.#end(next.outcome, next);
  }

  #take(next: Advance): void {
    const ledger = this.#ledger;
    this.#next = next;
    for (const stopped of next.stopped) ledger.events.push({ type: 'step', ...stopped });
    ledger.progress = next.progress;
    if (next.outcome) ledger.state = next.outcome;
  }

  #invoke(name: string): void {
    const ledger = this.#ledger;
    const step = ledger.plan.steps.get(name) as TaskStep;
    const job: NewJob = {
      id: newId<JobId>(),
      orderId: ledger.order.id,
      step: name,
      item: 0,
      workerType: step.workerType,
      function: step.function,
      profileId: step.profileId,
      profileRevision: step.profileRevision,
      input: inputOf(step, this.#input, (need) => ledger.results.get(need)),
      timers: timersOfJob(step),
    };
    ledger.newJobs.push(job);
    ledger.events.push({ type: 'job', step: name, jobId: job.id, attempt: 1, state: 'invoked' });
    ledger.command(job, 1, null);
  }

  #end(outcome: 'completed' | 'failed', { progress }: Advance): void {
    const ledger = this.#ledger;
    if (outcome === 'completed') ledger.result = resultOfOrder(ledger.plan, (step) => ledger.results.get(step));
    else {
      const causes = causesOfFailure(ledger.plan, progress).map((step) => `'${step}'`);
      const theirs = causes.length === 1 ? 'its error' : 'their errors';
      ledger.error = {
        kind: 'permanent',
        code: 'output_failed',
        message: `no result, because ${causes.join(', ')} failed: see ${theirs}`,
      };
    }
    ledger.events.push({
      type: 'order',
      state: outcome,
      epoch: ledger.order.epoch,
      ...(ledger.error ? { error: ledger.error } : {}),
    });
  }
}
