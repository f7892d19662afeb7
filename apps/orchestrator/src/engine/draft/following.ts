import { newId, type EndedJobState, type JobId, type JsonValue } from '@connecta/contracts';
import {
  advance,
  begin,
  causesOfFailure,
  evaluateCondition,
  guardOf,
  inputOf,
  resultOfOrder,
  resume,
  standInFor,
  type Advance,
  type PlannedStep,
} from '@connecta/domain';
import { isLargeJson, neededBy } from '../steps/needed.ts';
import { strangeFiles } from '../steps/named-files.ts';
import { isTooLarge, prepareStep, type Beginning, type Prepared } from '../steps/prepare-step.ts';
import { beginHead, beginStep, failStep } from './begin.ts';
import { taskInputOf } from './given.ts';
import type { Ledger } from './ledger.ts';
import { originsWanted, reuseStep } from './reuse.ts';
import { scopeOf } from './scope.ts';

/** What decisions still ask the database for. */
export interface Missing {
  steps: string[];
  input: boolean;
  /** Steps whose jobs of the order that is run again are wanted. */
  origins: string[];
  /** Fingerprints that the result cache is asked for, with how old a result may be. */
  cached: ReadonlyMap<string, number>;
}

export const NOTHING_MISSING: Missing = { steps: [], input: false, origins: [], cached: new Map() };

/**
 * What follows in an order from the steps that ended. States: moved → deciding (as long as steps are open: each begins, is
 * skipped or fails, and more may follow from that) → concluded.
 */
export class Following {
  readonly #ledger: Ledger;
  /** Steps whose needs are met and that have not begun. */
  #open: string[] = [];
  #outcome: Advance['outcome'] = null;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** An order's first move. */
  begin(input: JsonValue): void {
    this.#ledger.input = { value: input };
    this.#take(begin(this.#ledger.plan));
  }

  /** Decides what follows from the collected ends. */
  settle(): void {
    const { plan, progress, ended, extras } = this.#ledger;
    if (ended.size > 0) this.#take(advance(plan, progress, ended, extras.outcomes));
  }

  /** Decides what follows from the progress alone. */
  resume(): void {
    this.#take(resume(this.#ledger.plan, this.#ledger.progress));
  }

  /** What is needed now and is not at hand. */
  missing(): Missing {
    if (this.#open.length === 0 && this.#outcome !== 'completed') return NOTHING_MISSING;
    const { plan } = this.#ledger;
    const steps = new Set<string>();
    let input = false;
    if (this.#outcome === 'completed') for (const output of plan.outputs) this.#want(output, steps);
    for (const name of this.#open) {
      const step = plan.steps.get(name) as PlannedStep;
      const needed = neededBy(step);
      for (const need of step.needs) this.#want(need, steps);
      for (const other of needed.steps) this.#want(other, steps);
      input ||= needed.input && this.#ledger.input === undefined;
    }
    const origins = originsWanted(this.#ledger, this.#open);
    const cached = this.#ledger.extras.wantedCached;
    const isReady = steps.size + origins.length + cached.size === 0 && !input;
    return isReady ? NOTHING_MISSING : { steps: [...steps], input, origins, cached };
  }

  /** Notes a step, and the one that stands in for it, where what became of it is wanted and not at hand. */
  #want(step: string, into: Set<string>): void {
    const { plan, facts, progress } = this.#ledger;
    for (const source of [step, standInFor(plan, step, progress)]) {
      const state = progress[source];
      if ((state === 'completed' || state === 'error') && !facts.has(source)) into.add(source);
    }
  }

  /** Decides on the open steps, as far as everything is at hand. True: ask for what is missing, and again. */
  decide(): boolean {
    const ledger = this.#ledger;
    while (this.#open.length > 0) {
      let judged: Map<string, EndedJobState> | undefined;
      const asking: string[] = [];
      for (const name of this.#open.splice(0)) {
        const end = this.#decideOn(name);
        if (end === 'ask') asking.push(name);
        else if (end) (judged ??= new Map()).set(name, end);
      }
      this.#open.push(...asking);
      if (judged) this.#take(advance(ledger.plan, ledger.progress, judged));
      if (this.missing() !== NOTHING_MISSING) return true;
    }
    return false;
  }

  /** Makes the order's end that was decided on. */
  conclude(): void {
    if (this.#outcome === null) return;
    const ledger = this.#ledger;
    if (this.#outcome === 'completed') ledger.result = resultOfOrder(ledger.plan, (step) => this.#resultOf(step));
    else {
      const causes = causesOfFailure(ledger.plan, ledger.progress).map((step) => `'${step}'`);
      const theirs = causes.length === 1 ? 'its error' : 'their errors';
      const message = `no result, because ${causes.join(', ')} failed: see ${theirs}`;
      ledger.error = { kind: 'permanent', code: 'output_failed', message };
    }
    ledger.events.push({
      ...{ type: 'order', state: this.#outcome, epoch: ledger.order.epoch },
      ...(ledger.error ? { error: ledger.error } : {}),
    });
  }

  #take(next: Advance): void {
    const ledger = this.#ledger;
    for (const stopped of next.stopped) ledger.events.push({ type: 'step', ...stopped });
    ledger.progress = next.progress;
    this.#open.push(...next.ready);
    this.#outcome = next.outcome;
    if (next.outcome) ledger.state = next.outcome;
  }

  /** Lets a step begin; how it ended, when it did so at once. */
  #decideOn(name: string): EndedJobState | 'ask' | null {
    const ledger = this.#ledger;
    const step = ledger.plan.steps.get(name) as PlannedStep;
    const at = { id: newId<JobId>(), orderId: ledger.order.id, name, item: 0 };
    const prepared = step.forEach ? this.#guard(name, step) : this.#prepare(name, step);
    if (prepared === 'large') beginHead(ledger, at, step.forEach ? 'head' : 'resolve');
    else if (prepared.is === 'begin') {
      const reused = step.kind === 'task' && reuseStep(ledger, at, step, taskInputOf(ledger, step, prepared.input));
      if (reused) return reused;
      beginStep(ledger, at, step, prepared);
    } else if (prepared.is === 'error') {
      failStep(ledger, at, step, prepared.error);
      return 'error';
    } else {
      ledger.events.push({ type: 'step', step: name, state: 'skipped', because: [], reason: 'condition' });
      return 'skipped';
    }
    return null;
  }

  /** Whether a step with items is skipped; `large`: that, and the list, is seen to outside of the transaction. */
  #guard(name: string, step: PlannedStep): Exclude<Prepared, Beginning> | 'large' {
    const guard = guardOf(step);
    if (guard === undefined || this.#isLarge(step)) return 'large';
    const condition = evaluateCondition(guard, { scope: scopeOf(this.#ledger, step), place: `steps.${name}.if` });
    if (!condition.ok) return { is: 'error', error: condition.error };
    return condition.value ? 'large' : { is: 'skip' };
  }

  #isLarge(step: PlannedStep): boolean {
    const { content } = neededBy(step);
    return (
      (content.input && isLargeJson(this.#ledger.input?.value)) ||
      content.steps.some((other) => isLargeJson(this.#resultOf(other)))
    );
  }

  /** `large`: values of it must be read, written or looked up outside of the transaction. */
  #prepare(name: string, step: PlannedStep): Prepared | 'large' {
    const ledger = this.#ledger;
    const defaultInput = (): JsonValue => inputOf(step, ledger.input?.value ?? null, (need) => this.#resultOf(need));
    const isPlain = step.kind === 'task' && step.if === undefined && step.with === undefined;
    if (isPlain) return this.#known(step, { is: 'begin', input: defaultInput() });
    if (this.#isLarge(step)) return 'large';
    const prepared = prepareStep({ name, step, scope: scopeOf(ledger, step), defaultInput });
    if (prepared.is !== 'begin') return prepared;
    return step.with !== undefined && isTooLarge(prepared.input) ? 'large' : this.#known(step, prepared);
  }

  /** Whether a worker made a file of a share is looked up outside of the transaction. */
  #known(step: PlannedStep, begin: Beginning): Beginning | 'large' {
    const { input, order } = this.#ledger;
    const files = strangeFiles(step, begin, { input: input?.value, params: order.params });
    return files.length === 0 ? begin : 'large';
  }

  #resultOf(step: string): JsonValue | undefined {
    const { plan, progress, facts } = this.#ledger;
    const source = standInFor(plan, step, progress);
    return progress[source] === 'completed' ? facts.get(source)?.result : undefined;
  }
}
