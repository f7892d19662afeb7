import { Problem, type JsonValue, type OrderId, type ProblemDocument } from '@connecta/contracts';
import type { Store } from '@connecta/store';
import { Facts } from './facts.ts';
import type { FactMemory } from './kept-facts.ts';
import type { Planner } from './planner.ts';
import type { Draft } from './prepare.ts';
import type { IdempotencyKey, Outcome } from './requests.ts';

/** A request asks for facts that lead to further ones: client, version, definition, profiles, aliases, plan. */
const MAX_ROUNDS = 80;
/**
 * So often requests are prepared from facts of one time, to be confirmed. Where somebody changes them all the time, they
 * are taken as they come after that, each fetched since the request arrived.
 */
const MAX_CONFIRMED = 3;

/** The requests of one call. */
export interface Submission {
  readonly drafts: readonly Draft[];
  readonly idempotency: IdempotencyKey | undefined;
  /** Whether the database is to be looked at even when all is known by heart. */
  looks: boolean;
  /** How often what it was prepared from had changed by its insert. */
  timesStale: number;
}

/** What its drafts ended by, or how an earlier call under the same key ended. */
export interface Prepared {
  /** The state of the facts, for an insert to confirm; null: there is none to be confirmed. */
  generation: string | null;
  replayed: Outcome[] | null;
}

export interface PreparingParts {
  store: Store;
  planner: Planner;
  memory: FactMemory;
}

/** Brings every draft to its end, and finds the outcomes that earlier calls under the same keys had. */
export async function prepareGroup(
  { store, planner, memory }: PreparingParts,
  group: readonly Submission[],
): Promise<Prepared[]> {
  for (let tries = Math.max(...group.map(({ timesStale }) => timesStale)); ; tries++) {
    const facts = new Facts(store, tries < MAX_CONFIRMED ? memory : undefined);
    if (await settleAll(planner, facts, group)) return group.map((submission) => toPrepared(submission, facts));
    for (const { drafts } of group) for (const draft of drafts) draft.reopen();
  }
}

/** False: the facts are torn. */
async function settleAll(planner: Planner, facts: Facts, group: readonly Submission[]): Promise<boolean> {
  let open = group.flatMap(({ drafts }) => drafts);
  if (group.some(({ looks }) => looks)) facts.look();
  for (let round = 0; ; round++) {
    const plans: Parameters<Draft['settle']>[2] = new Map();
    for (const draft of open) draft.settle(planner, facts, plans);
    open = open.filter(({ done }) => !done);
    if (open.length === 0) {
      if (group.some(needsLook)) facts.look();
      if (!facts.isLookDue) return true;
    }
    if (round > MAX_ROUNDS) throw new Error('facts lead to ever new ones');
    // The insert finds a key that is taken; whoever looks anyway finds it now.
    for (const { idempotency } of group) if (idempotency) facts.key(idempotency.scope, idempotency.key);
    await facts.load();
    if (facts.isTorn) return false;
  }
}

/**
 * What no insert will confirm: a refusal (an earlier call under its key may have been accepted, too), and that a large
 * input is to be stored.
 */
function needsLook({ drafts, idempotency }: Submission): boolean {
  return drafts.some(({ done, restsOnFacts }) =>
    done instanceof Problem ? restsOnFacts || idempotency !== undefined : done?.largeInput,
  );
}

function toPrepared({ idempotency, drafts }: Submission, facts: Facts): Prepared {
  const earlier = idempotency && facts.key(idempotency.scope, idempotency.key);
  return {
    generation: facts.generation,
    replayed: earlier ? replay(earlier, idempotency, drafts.length) : null,
  };
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
