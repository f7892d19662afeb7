import {
  compilePlan,
  holdUpOfJob,
  holdUpOfOrder,
  holdUpOfRetry,
  holdUpOfStep,
  type CompiledPlan,
  type HoldUp,
  type HoldUpReason,
  type Telling,
} from '@connecta/domain';
import type { HoldUpFacts, OrderTrace, TracedJob } from '@connecta/store';

/** As {@link HoldUp}, its time as people read it. */
interface HoldUpView<For> {
  waitsFor?: For;
  why?: string;
  until?: string;
}

/** Why an order under way, or a step of it, has not begun; of what has, and of orders that have ended, nothing. */
export class HoldUps {
  readonly #order: OrderTrace;
  readonly #facts: HoldUpFacts | undefined;
  readonly #telling: Telling;
  #plan: CompiledPlan | undefined;

  constructor(order: OrderTrace, facts: HoldUpFacts | undefined, telling: Telling) {
    this.#order = order;
    this.#facts = facts;
    this.#telling = telling;
  }

  ofOrder(): HoldUpView<'concurrency' | 'turn'> {
    return this.#facts?.line ? viewOf(holdUpOfOrder(this.#facts.line, this.#telling)) : {};
  }

  /** Of a step that has no job. */
  ofStep(name: string): HoldUpView<'steps'> {
    if (!this.#facts || this.#order.progress[name] !== undefined) return {};
    this.#plan ??= compilePlan(this.#order.plan);
    return viewOf(holdUpOfStep(this.#plan, name, this.#order.progress));
  }

  ofJob({ id, state, notBefore }: TracedJob): HoldUpView<'retry' | 'runner'> {
    if (!this.#facts) return {};
    if (state === 'pending' && notBefore !== null) return viewOf(holdUpOfRetry(new Date(notBefore)));
    const runners = state === 'invoked' || state === 'queued' ? this.#facts.runners.get(id) : undefined;
    return runners ? viewOf(holdUpOfJob(runners, this.#telling)) : {};
  }
}

function viewOf<For extends HoldUpReason>(holdUp: HoldUp<For> | null): HoldUpView<For> {
  if (!holdUp) return {};
  const { waitsFor, why, until } = holdUp;
  return { waitsFor, why, ...(until ? { until: until.toISOString() } : {}) };
}
