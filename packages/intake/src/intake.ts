import { Problem } from '@connecta/contracts';
import type { NewOrder, Store } from '@connecta/store';
import { Groups } from './groups.ts';
import { insertGroup, type Inserted, type Insertion } from './insert-group.ts';
import { FactMemory } from './kept-facts.ts';
import { Planner } from './planner.ts';
import { prepareGroup, type Prepared, type Submission } from './prepare-group.ts';
import { Draft, type PreparedOrder, type StoreValue } from './prepare.ts';
import type { IdempotencyKey, IntakeRequest, Outcome } from './requests.ts';

/** As many orders go through one statement at most. */
const MAX_GROUP = 2000;
const MAX_STORING = 8;

export interface Intake {
  /**
   * Accepts orders: each is committed when its outcome is ok. Requests of concurrent calls share their statements.
   * Under an Idempotency-Key all requests of the call are one: either the first call's outcomes are given again, or
   * (another body) each has the problem idempotency_mismatch. A call of which nothing was accepted leaves the key free.
   *
   * @throws what the database throws when it is away: nothing is known then about the orders, and a repeat under the
   * same key is safe.
   */
  accept(requests: readonly IntakeRequest[], idempotency?: IdempotencyKey): Promise<Outcome[]>;
  /**
   * Brings requests as far as {@link Intake.accept} does before it inserts: for whoever commits the orders together with
   * something of its own.
   */
  prepare(requests: readonly IntakeRequest[]): Promise<(NewOrder | Problem)[]>;
  /** What an order would be that is not placed; a large input is not stored. Its plan is made when there is none. */
  preview(request: IntakeRequest): Promise<PreparedOrder | Problem>;
}

/** Intake as both gateways use it: one for a process. */
export function createIntake(options: { store: Store; storeValue: StoreValue }): Intake {
  const { store, storeValue } = options;
  const parts = { store, planner: new Planner(), memory: new FactMemory() };
  const preparing = new Groups<Submission, Prepared>({
    run: (group) => prepareGroup(parts, group),
    weigh: ({ drafts }) => drafts.length,
    maxWeight: MAX_GROUP,
  });
  const inserting = new Groups<Insertion, Inserted>({
    run: (group) => insertGroup(store, group),
    weigh: ({ orders }) => orders.length,
    maxWeight: MAX_GROUP,
  });
  /** By what the database says now: nobody confirms it later. */
  const prepareNow = async (requests: readonly IntakeRequest[]): Promise<readonly Draft[]> => {
    const drafts = requests.map((request) => new Draft(request));
    await preparing.add({ drafts, idempotency: undefined, looks: true, timesStale: 0 });
    return drafts;
  };
  return {
    async preview(request) {
      const [prepared] = (await prepareNow([request])).map(endOf);
      return prepared as PreparedOrder | Problem;
    },
    async accept(requests, idempotency) {
      const drafts = requests.map((request) => new Draft(request));
      const submission: Submission = { drafts, idempotency, looks: false, timesStale: 0 };
      for (;;) {
        const { replayed, generation } = await preparing.add(submission);
        if (replayed) return replayed;
        await storeLargeInputs(drafts, storeValue);
        const insertion = toInsertion(drafts.map(endOf), { idempotency, generation });
        if (insertion.orders.length === 0) return insertion.outcomes;
        const inserted = await inserting.add(insertion);
        if (inserted instanceof Error) throw inserted;
        if (inserted === 'inserted') return insertion.outcomes;
        if (inserted === 'stale') {
          parts.memory.forget(generation);
          submission.timesStale++;
        } else {
          // The key was taken, meanwhile or long ago: a look finds what by.
          submission.looks = true;
        }
        for (const draft of drafts) draft.reopen();
      }
    },
    async prepare(requests) {
      const drafts = await prepareNow(requests);
      await storeLargeInputs(drafts, storeValue);
      return drafts.map(endOf).map((one) => (one instanceof Problem ? one : one.row));
    },
  };
}

function endOf({ done }: Draft): PreparedOrder | Problem {
  return done as PreparedOrder | Problem;
}

async function storeLargeInputs(drafts: readonly Draft[], store: StoreValue): Promise<void> {
  const work = drafts.values();
  const next = async (): Promise<void> => {
    for (const draft of work) await draft.storeInput(store);
  };
  await Promise.all(Array.from({ length: Math.min(MAX_STORING, drafts.length) }, next));
}

function toInsertion(
  prepared: readonly (PreparedOrder | Problem)[],
  { idempotency, generation }: Pick<Insertion, 'idempotency' | 'generation'>,
): Insertion {
  const orders: NewOrder[] = [];
  const outcomes = prepared.map((one): Outcome => {
    if (one instanceof Problem) return { ok: false, problem: one };
    if (idempotency) Object.assign(one.row, { scope: idempotency.scope, key: idempotency.key });
    orders.push(one.row);
    return { ok: true, id: one.row.id, replayed: false };
  });
  return { orders, outcomes, idempotency, generation };
}
