import { createHash } from 'node:crypto';
import { blobRefsIn, newId, type BlobId, type BlobRef, type JsonValue } from '@connecta/contracts';
import {
  compilePlan,
  fingerprintParts,
  functionParams,
  previewRerun,
  type CachedResult,
  type OriginStep,
  type TaskStep,
} from '@connecta/domain';
import type { PreparedOrder } from '@connecta/intake';
import {
  findKeptResults,
  findOwnedBlobs,
  findPlans,
  type OrderTrace,
  type Store,
  type TracedJob,
} from '@connecta/store';
import { differenceView } from './words.ts';

type Decisions = ReturnType<typeof previewRerun>;
export interface RerunStepView {
  decision: 'reuse' | 'cached' | 'recompute' | 'unknown';
  because: ReturnType<typeof differenceView>[];
  reusedFrom?: { orderId: string; jobId: string };
  cachedFrom?: { orderId: string; jobId: string };
}

/** What would become of each step of an order that is only asked about. */
export async function previewSteps(
  store: Store,
  origin: OrderTrace,
  { row, largeInput }: PreparedOrder,
): Promise<{ [step: string]: RerunStepView }> {
  const [found] = await findPlans(store, [row.planId]);
  if (!found) throw new Error('a plan that was just made is gone');
  const question = {
    plan: compilePlan(found.plan),
    origin: await originSteps(store, origin),
    input: largeInput ? asBlob(row.input) : row.input,
    ...{ params: row.params ?? {}, context: row.context ?? null, from: row.rerunFrom ?? null },
    cacheTtlMs: row.cacheTtlMs ?? null,
  };
  const cached = new Map<string, CachedResult | null>();
  for (;;) {
    const decisions = previewRerun({ ...question, cached });
    const wanted = [...decisions.values()].flatMap((decision) => decision.wanted ?? []);
    if (wanted.length === 0) return viewOf(decisions, origin);
    for (const fingerprint of wanted) cached.set(fingerprint, null);
    const kept = await findKeptResults(store, { clientId: origin.clientId, fingerprints: wanted });
    for (const one of kept) if (one.blobsAreThere) cached.set(one.fingerprint, one);
  }
}

function viewOf(decisions: Decisions, origin: OrderTrace): { [step: string]: RerunStepView } {
  return Object.fromEntries(
    [...decisions].map(([step, { decision, because, jobId, cached }]) => [
      step,
      {
        ...{ decision, because: because.map(differenceView) },
        ...(jobId === undefined ? {} : { reusedFrom: { orderId: origin.id, jobId } }),
        ...(cached ? { cachedFrom: { orderId: cached.orderId, jobId: cached.jobId } } : {}),
      },
    ]),
  );
}

async function originSteps(store: Store, origin: OrderTrace): Promise<Map<string, OriginStep>> {
  const jobs = origin.jobs.filter(({ item, state }) => item === 0 && state === 'completed');
  const ids = jobs.flatMap((job) => refsOf(job).map(({ blobId }) => blobId));
  const there = await findOwnedBlobs(store, { clientId: origin.clientId, ids });
  return new Map(
    jobs.flatMap((job) => {
      const step = origin.plan.steps[job.step];
      if (!step) return [];
      const parts = step.kind === 'task' ? partsOf(origin, job, step) : NO_PARTS;
      const blobsAreThere = refsOf(job).every(({ blobId }) => there.has(blobId));
      const { id: jobId, result, context, fingerprint } = job;
      return [[job.step, { jobId, result, context, parts, proved: fingerprint !== null, blobsAreThere }]];
    }),
  );
}

const NO_PARTS = { task: null, profile: null, version: null, params: null, input: null, context: null };

function refsOf({ result, context }: Pick<TracedJob, 'result' | 'context'>): BlobRef[] {
  return [...blobRefsIn(result), ...(context ? [context] : [])];
}

/** What the fingerprint of a job was made of. */
export function partsOf(
  order: Pick<OrderTrace, 'params'>,
  job: Pick<TracedJob, 'input' | 'contextIn'>,
  step: Omit<TaskStep, 'kind'>,
): ReturnType<typeof fingerprintParts> {
  return fingerprintParts({
    ...{ workerType: step.workerType, function: step.function, profileId: step.profileId },
    ...{ profileRevision: step.profileRevision, functionVersion: step.functionVersion },
    ...{ params: functionParams(order.params, step.params), input: job.input, given: job.contextIn },
  });
}

/** A large input as it would be stored. */
function asBlob(input: JsonValue): JsonValue {
  const bytes = Buffer.from(JSON.stringify(input));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { blobId: newId<BlobId>(), mediaType: 'application/json', size: bytes.length, sha256 };
}
