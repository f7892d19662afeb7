import { Problem, type JsonValue, type OrderId, type ProblemDocument } from '@connecta/contracts';
import { insertOrders, type NewOrder, type Store } from '@connecta/store';
import { Facts } from './facts.ts';
import { Groups } from './groups.ts';
import { Planner } from './planner.ts';
import { Draft, type PreparedOrder, type StoreValue } from './prepare.ts';
import type { IdempotencyKey, IntakeRequest, Outcome } from './requests.ts';

/** As many orders go through one statement at most. */
const MAX_GROUP = 2000;
/** A request asks for facts that lead to further ones: client, version, definition, profiles, aliases, plan. */
const MAX_ROUNDS = 80;
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

interface Submission {
  drafts: Draft[];
  idempotency: IdempotencyKey | undefined;
}

interface Insertion {
  orders: NewOrder[];
  outcomes: Outcome[];
  idempotency: IdempotencyKey | undefined;
}

/** Intake as both gateways use it: one for a process. */
export function createIntake(options: { store: Store; storeValue: StoreValue }): Intake {
  const { store, storeValue } = options;
  const planner = new Planner();
  const preparing = new Groups<Submission, Outcome[] | null>({
    run: (group) => prepare(store, planner, group),
    weigh: ({ drafts }) => drafts.length,
    maxWeight: MAX_GROUP,
  });
  const inserting = new Groups<Insertion, Inserted>({
    run: (group) => insert(store, group),
    weigh: ({ orders }) => orders.length,
    maxWeight: MAX_GROUP,
  });
  return {
    async preview(request) {
      const draft = new Draft(request);
      await preparing.add({ drafts: [draft], idempotency: undefined });
      return draft.done as PreparedOrder | Problem;
    },
    async accept(requests, idempotency) {
      const drafts = requests.map((request) => new Draft(request));
      for (;;) {
        const replayed = await preparing.add({ drafts, idempotency });
        if (replayed) return replayed;
        const prepared = drafts.map(({ done }) => done as PreparedOrder | Problem);
        await storeLargeInputs(prepared, storeValue);
        const insertion = toInsertion(prepared, idempotency);
        if (insertion.orders.length === 0) return insertion.outcomes;
        const inserted = await inserting.add(insertion);
        if (inserted instanceof Error) throw inserted;
        if (inserted === 'inserted') return insertion.outcomes;
        // The key was taken meanwhile: the next look finds what by.
      }
    },
    async prepare(requests) {
      const drafts = requests.map((request) => new Draft(request));
      await preparing.add({ drafts, idempotency: undefined });
      const prepared = drafts.map(({ done }) => done as PreparedOrder | Problem);
      await storeLargeInputs(prepared, storeValue);
      return prepared.map((one) => (one instanceof Problem ? one : one.row));
    },
  };
}

/** Brings every draft to its end, or finds the outcomes that an earlier call under the same key had. */
async function prepare(store: Store, planner: Planner, group: readonly Submission[]): Promise<(Outcome[] | null)[]> {
  const facts = new Facts(store);
  let open = group.flatMap(({ drafts }) => drafts).filter(({ done }) => !done);
  for (const { idempotency } of group) if (idempotency) facts.key(idempotency.scope, idempotency.key);
  for (let round = 0; ; round++) {
    const plans: Parameters<Draft['settle']>[2] = new Map();
    for (const draft of open) draft.settle(planner, facts, plans);
    open = open.filter(({ done }) => !done);
    if (open.length === 0 && round > 0) break;
    if (round > MAX_ROUNDS) throw new Error('facts lead to ever new ones');
    await facts.load();
  }
  return group.map(({ idempotency, drafts }) => {
    const earlier = idempotency && facts.key(idempotency.scope, idempotency.key);
    return earlier ? replay(earlier, idempotency, drafts.length) : null;
  });
}

function replay(
  earlier: { bodyHash: string; answer: JsonValue },
  { bodyHash }: IdempotencyKey,
  count: number,
): Outcome[] {
  if (earlier.bodyHash !== bodyHash) {
    const problem = new Problem('idempotency_mismatch', 'The Idempotency-Key was used with another body');
    return Array.from({ length: count }, () => ({ ok: false, problem }));
  }
  return (earlier.answer as StoredOutcome[]).map((stored) =>
    'id' in stored
      ? { ok: true, id: stored.id, replayed: true }
      : { ok: false, problem: problemOf(stored.problem as unknown as ProblemDocument) },
  );
}

type StoredOutcome = { id: OrderId } | { problem: { [name: string]: JsonValue } };

function problemOf(document: ProblemDocument): Problem {
  return new Problem(document.code, document.detail ?? document.title, { faults: document.errors ?? [] });
}

async function storeLargeInputs(prepared: readonly (PreparedOrder | Problem)[], store: StoreValue): Promise<void> {
  const large = prepared.flatMap((one) => (one instanceof Problem || !one.largeInput ? [] : [one]));
  const work = large.values();
  const next = async (): Promise<void> => {
    for (const order of work) {
      const { input, clientId, createdBy } = order.row;
      order.row.input = await store({ value: input, clientId, createdBy });
      order.largeInput = false;
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_STORING, large.length) }, next));
}

function toInsertion(
  prepared: readonly (PreparedOrder | Problem)[],
  idempotency: IdempotencyKey | undefined,
): Insertion {
  const orders: NewOrder[] = [];
  const outcomes = prepared.map((one): Outcome => {
    if (one instanceof Problem) return { ok: false, problem: one };
    if (idempotency) Object.assign(one.row, { scope: idempotency.scope, key: idempotency.key });
    orders.push(one.row);
    return { ok: true, id: one.row.id, replayed: false };
  });
  return { orders, outcomes, idempotency };
}

/** What became of an insertion; an error is what Postgres refused of it. */
type Inserted = 'inserted' | 'taken' | Error;

/** Inserts a group; of several under one key the first one, the others look again. */
async function insert(store: Store, group: readonly Insertion[]): Promise<Inserted[]> {
  const names = new Set<string>();
  const chosen = group.filter(({ idempotency }) => {
    if (!idempotency) return true;
    const name = nameOf(idempotency);
    if (names.has(name)) return false;
    names.add(name);
    return true;
  });
  const results = await insertChosen(store, chosen);
  return group.map((insertion) => results.get(insertion) ?? 'taken');
}

async function insertChosen(store: Store, chosen: readonly Insertion[]): Promise<Map<Insertion, Inserted>> {
  try {
    const free = await insertOrders(
      store,
      chosen.flatMap(({ orders }) => orders),
      chosen.flatMap(({ idempotency, outcomes }) =>
        idempotency ? [{ ...idempotency, answer: stored(outcomes) }] : [],
      ),
    );
    const freeNames = new Set(free.map(nameOf));
    const isTaken = ({ idempotency }: Insertion): boolean =>
      idempotency !== undefined && !freeNames.has(nameOf(idempotency));
    return new Map(chosen.map((insertion) => [insertion, isTaken(insertion) ? 'taken' : 'inserted']));
  } catch (error) {
    // Data that Postgres refuses must not take down the orders that it happens to travel with.
    if (!isRefusedData(error)) throw error;
    const [only, ...others] = chosen;
    if (only && others.length === 0) return new Map([[only, error]]);
    const results = new Map<Insertion, Inserted>();
    for (const one of chosen)
      for (const [insertion, result] of await insertChosen(store, [one])) results.set(insertion, result);
    return results;
  }
}

function stored(outcomes: readonly Outcome[]): JsonValue {
  return outcomes.map((outcome) =>
    outcome.ok ? { id: outcome.id } : { problem: outcome.problem.toDocument() as { [name: string]: JsonValue } },
  );
}

function nameOf({ scope, key }: { scope: string; key: string }): string {
  return `${key} ${scope}`;
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity violation). */
function isRefusedData(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^2[23]...$/.test(String(error.code));
}
