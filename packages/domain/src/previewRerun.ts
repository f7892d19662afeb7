import type { BlobRef, JsonValue } from '@connecta/contracts';
import { inputOf } from './advance.ts';
import {
  differencesOf,
  fingerprintParts,
  type FingerprintPart,
  type FingerprintParts,
  type GivenContext,
} from './fingerprint.ts';
import { functionParams } from './functionParams.ts';
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

/** Why a step would not be reused, or why that cannot be told yet. */
export type RerunReason =
  | { what: FingerprintPart; from: string | null; to: string | null }
  | { what: 'forced' | 'not_completed' | 'blobs_gone' | 'no_fingerprint' | 'condition' }
  | { what: 'upstream'; steps: string[] };

export interface RerunDecision {
  decision: 'reuse' | 'recompute' | 'unknown';
  because: RerunReason[];
  /** With `reuse`. */
  jobId?: string;
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
}

/**
 * What would become of each step if the order ran again now. A step behind one that runs is `unknown`, unless something of
 * its own changed: the step before it may give the same bytes.
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
  const earlier = question.origin.get(name);
  if (!earlier) return run({ what: 'not_completed' });
  if (step.kind !== 'task' || step.forEach) return run({ what: 'no_fingerprint' });
  if (!earlier.blobsAreThere) return run({ what: 'blobs_gone' });
  const open = step.needs.filter((need) => decisions.get(need)?.decision !== 'reuse');
  const hasExpressions = step.if !== undefined || step.with !== undefined;
  const differences = differencesOf(earlier.parts, partsNow(question, step)).filter(
    // What the steps before it, or its own expressions, give is not known yet.
    ({ what }) =>
      (what !== 'input' && what !== 'context') || (open.length === 0 && !(what === 'input' && hasExpressions)),
  );
  if (differences.length > 0) return run(...differences);
  if (!earlier.proved) return run({ what: 'no_fingerprint' });
  if (open.length > 0) return { decision: 'unknown', because: [{ what: 'upstream', steps: open }] };
  if (hasExpressions) return { decision: 'unknown', because: [{ what: 'condition' }] };
  return { decision: 'reuse', because: [], jobId: earlier.jobId };
}

/** The parts of a step's fingerprint if every step that it needs is reused. */
function partsNow({ origin, input, params, context }: RerunQuestion, step: TaskStep): FingerprintParts {
  const results = (need: string): JsonValue | undefined => origin.get(need)?.result;
  return fingerprintParts({
    ...{ workerType: step.workerType, function: step.function, profileId: step.profileId },
    ...{ profileRevision: step.profileRevision, functionVersion: step.functionVersion },
    ...{ params: functionParams(params, step.params), input: inputOf(step, input, results) },
    given: contextsOf(step.needs, context, (need) => origin.get(need)?.context ?? null),
  });
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
  if (needs.length === 0) return ofOrder ? { context: ofOrder } : null;
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
  if (needs.length === 1) return { context: only };
  return more.length === 0 ? { context: only, contexts } : { contexts };
}
