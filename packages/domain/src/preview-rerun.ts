import type { BlobRef, JsonValue } from '@connecta/contracts';
import { inputOf } from './advance.ts';
import { cacheTtlOf } from './cache-ttl.ts';
import {
  differencesOf,
  fingerprintOf,
  fingerprintParts,
  type FingerprintPart,
  type FingerprintParts,
  type FingerprintSubject,
  type GivenContext,
} from './fingerprint.ts';
import { functionParams } from './function-params.ts';
import type { CompiledPlan, PlannedStep, TaskStep } from './plan.ts';

/** A job of the order that is to run again; null for a step of which none completed. */
export interface OriginStep {
  jobId: string;
  result: JsonValue;
  context: BlobRef | null;
  /** What its fingerprint was made of. */
  parts: FingerprintParts;
  /** Whether it has a fingerprint at all. */
  proved: boolean;
  /** False when some blob of its result can no longer be read. */
  blobsAreThere: boolean;
}

/** What the result cache holds for a fingerprint; every blob of it can be read. */
export interface CachedResult {
  jobId: string;
  orderId: string;
  result: JsonValue;
  context: BlobRef | null;
  ageMs: number;
}

/** Why a step would not be reused, or why that cannot be told yet. */
export type RerunReason =
  | { what: FingerprintPart; from: string | null; to: string | null }
  | { what: 'forced' | 'not_completed' | 'blobs_gone' | 'no_fingerprint' | 'condition' }
  | { what: 'upstream'; steps: string[] };

export interface RerunDecision {
  decision: 'reuse' | 'cached' | 'recompute' | 'unknown';
  /** Why it would not be reused. */
  because: RerunReason[];
  /** With `reuse`. */
  jobId?: string;
  /** With `cached`. */
  cached?: CachedResult;
  /** The fingerprint by which the cache may know it, where that was not looked up. */
  wanted?: string;
}

export interface RerunQuestion {
  /** As the new order would run. */
  plan: CompiledPlan;
  origin: ReadonlyMap<string, OriginStep>;
  input: JsonValue;
  params: { [name: string]: JsonValue };
  context: BlobRef | null;
  /** Everything from this step on is to run. */
  from: string | null;
  /** What of the cache the order asks for; null: its steps say. */
  cacheTtlMs: number | null;
  /** What was looked up in the cache, by fingerprint; null: there is nothing. */
  cached: ReadonlyMap<string, CachedResult | null>;
}

/**
 * What would become of each step if the order ran again now. A step behind one that runs is `unknown`, unless something of
 * its own changed: the step before it may give the same bytes. Ask again with what was `wanted` of the cache, until nothing
 * is: what is behind a cached step is then known as well.
 */
export function previewRerun(question: RerunQuestion): Map<string, RerunDecision> {
  const { plan, from } = question;
  const decisions = new Map<string, RerunDecision>();
  const forced = new Set(from === null ? [] : [from]);
  for (const [name, step] of plan.steps) {
    if (step.needs.some((need) => forced.has(need))) forced.add(name);
    decisions.set(name, forced.has(name) ? run({ what: 'forced' }) : decide(question, decisions, name, step));
  }
  return decisions;
}

const run = (...because: RerunReason[]): RerunDecision => ({ decision: 'recompute', because });

function decide(
  question: RerunQuestion,
  decisions: ReadonlyMap<string, RerunDecision>,
  name: string,
  step: PlannedStep,
): RerunDecision {
  if (step.kind !== 'task' || step.forEach) {
    return run({ what: question.origin.has(name) ? 'no_fingerprint' : 'not_completed' });
  }
  const open = step.needs.filter((need) => !isTakenOver(decisions.get(need)));
  const subject = subjectNow(question, decisions, step);
  const decision = decideReuse(question.origin.get(name), step, { now: fingerprintParts(subject), open });
  const isKnown = open.length === 0 && !hasExpressions(step);
  return decision.decision === 'recompute' && isKnown ? askCache(question, step, { decision, subject }) : decision;
}

function decideReuse(
  earlier: OriginStep | undefined,
  step: TaskStep,
  { now, open }: { now: FingerprintParts; open: string[] },
): RerunDecision {
  if (!earlier) return run({ what: 'not_completed' });
  if (!earlier.blobsAreThere) return run({ what: 'blobs_gone' });
  const differences = differencesOf(earlier.parts, now).filter(
    // What the steps before it, or its own expressions, give is not known yet.
    ({ what }) =>
      (what !== 'input' && what !== 'context') || (open.length === 0 && !(what === 'input' && hasExpressions(step))),
  );
  if (differences.length > 0) return run(...differences);
  if (!earlier.proved) return run({ what: 'no_fingerprint' });
  if (open.length > 0) return { decision: 'unknown', because: [{ what: 'upstream', steps: open }] };
  if (hasExpressions(step)) return { decision: 'unknown', because: [{ what: 'condition' }] };
  return { decision: 'reuse', because: [], jobId: earlier.jobId };
}

/** What would run takes an equal result from the cache instead, where it may and there is one. */
function askCache(
  { cacheTtlMs, cached }: RerunQuestion,
  step: TaskStep,
  { decision, subject }: { decision: RerunDecision; subject: FingerprintSubject },
): RerunDecision {
  const ttlMs = cacheTtlOf(cacheTtlMs, step);
  const fingerprint = ttlMs > 0 ? fingerprintOf(subject) : null;
  if (fingerprint === null) return decision;
  const found = cached.get(fingerprint);
  if (found === undefined) return { ...decision, wanted: fingerprint };
  if (found === null || found.ageMs >= ttlMs) return decision;
  return { decision: 'cached', because: decision.because, cached: found };
}

const hasExpressions = (step: TaskStep): boolean => step.if !== undefined || step.with !== undefined;

const isTakenOver = (decision: RerunDecision | undefined): boolean =>
  decision?.decision === 'reuse' || decision?.decision === 'cached';

/** What a step's fingerprint is made of if every step that it needs is taken over, or gives what it gave. */
function subjectNow(
  { origin, input, params, context }: RerunQuestion,
  decisions: ReadonlyMap<string, RerunDecision>,
  step: TaskStep,
): FingerprintSubject {
  const of = (need: string): Pick<OriginStep, 'result' | 'context'> | undefined =>
    decisions.get(need)?.cached ?? origin.get(need);
  return {
    ...{ workerType: step.workerType, function: step.function, profileId: step.profileId },
    ...{ profileRevision: step.profileRevision, functionVersion: step.functionVersion },
    ...{ params: functionParams(params, step.params), input: inputOf(step, input, (need) => of(need)?.result) },
    given: contextsOf(step.needs, context, (need) => of(need)?.context ?? null),
  };
}

/**
 * The context that a step begins with: a root the order's, any other those of the steps that it needs. What several needs
 * have is keyed by need, and is the context as well where it is one and the same blob.
 */
export function contextsOf(
  needs: readonly string[],
  ofOrder: BlobRef | null,
  contextOf: (need: string) => BlobRef | null,
): GivenContext | null {
  const [one, ...others] = needs;
  if (one === undefined || others.length === 0) {
    const context = one === undefined ? ofOrder : contextOf(one);
    return context ? { context } : null;
  }
  const contexts: { [need: string]: BlobRef } = {};
  const ids = new Map<string, BlobRef>();
  for (const need of needs) {
    const context = contextOf(need);
    if (!context) continue;
    contexts[need] = context;
    ids.set(context.blobId, context);
  }
  const [only, ...more] = ids.values();
  if (!only) return null;
  return more.length === 0 ? { context: only, contexts } : { contexts };
}
