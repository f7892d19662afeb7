import { blobRefsIn, type FeApiOperations } from '@connecta/contracts';
import { cacheTtlOf, compilePlan, differencesOf, type TaskStep } from '@connecta/domain';
import type { OperationAnswer } from '@connecta/runtime';
import {
  findEarlierRuns,
  findKeptResults,
  findOwnedBlobs,
  type EarlierRun,
  type KeptResult,
  type OrderTrace,
  type Store,
  type TracedJob,
} from '@connecta/store';
import { partsOf } from './preview-rerun.ts';
import { differenceView } from './words.ts';

type JobRef = NonNullable<CacheAnswer['nearest']>;
export type CacheAnswer = OperationAnswer<FeApiOperations['explainCache'], 200>;

/** Why a job's result was, or was not, taken from the result cache. */
export async function explainCache(store: Store, order: OrderTrace, job: TracedJob): Promise<CacheAnswer> {
  const step = order.plan.steps[job.step];
  if (step?.kind !== 'task') return no('not_a_task', 'Only the results of tasks are kept.');
  if (job.origin) return tookOver(job.origin);
  const ttlMs = cacheTtlOf(order.cacheTtlMs, step);
  if (ttlMs === 0) return whyOff(order, step);
  if (isForced(order, job.step)) return no('forced', 'The re-run asked for this step, or one before it, to run.');
  if (job.fingerprint === null) return no('no_fingerprint', 'Nothing proves what its result depends on.');
  const fingerprint = { fingerprint: job.fingerprint };
  const at = new Date(job.createdAt);
  const kept = await findKept(store, order, job.fingerprint);
  // What was kept since, by this very job too, is no answer.
  const before = kept && kept.jobId !== job.id && kept.keptAt < at ? whyNotKept(kept, ttlMs, at) : null;
  if (before) return { ...before, ...fingerprint };
  const { clientId, id: orderId } = order;
  const runs = await findEarlierRuns(store, { clientId, orderId, step: job.step, profileId: step.profileId, at });
  const equal = runs.find((run) => run.fingerprint === job.fingerprint);
  if (equal) return { ...(await whyNotTaken(store, order, { equal, ttlMs, at })), ...fingerprint };
  const nearest = runs.find(({ stepName }) => stepName === job.step) ?? runs[0];
  if (!nearest)
    return {
      ...no('no_entry', 'No order that the client placed shortly before ran this step or its setup.'),
      ...fingerprint,
    };
  const [first] = differencesOf(
    partsOf({ params: nearest.orderParams }, nearest, nearest.step),
    partsOf(order, job, step),
  );
  return {
    ...no('different', 'The nearest earlier run of this step depends on something else.'),
    ...{ nearest: refOf(nearest), ...fingerprint },
    ...(first ? { difference: differenceView(first) } : {}),
  };
}

async function findKept(store: Store, { clientId }: OrderTrace, fingerprint: string): Promise<KeptResult | undefined> {
  const [kept] = await findKeptResults(store, { clientId, fingerprints: [fingerprint] });
  return kept;
}

/** Why what the cache held was not taken; null for what should have been. */
function whyNotKept(kept: KeptResult, ttlMs: number, at: Date): CacheAnswer | null {
  const expiresAt = new Date(kept.keptAt.getTime() + ttlMs);
  if (expiresAt <= at) return expired(expiresAt, refOf(kept));
  return kept.blobsAreThere ? null : blobsGone(refOf(kept));
}

async function whyNotTaken(
  store: Store,
  order: OrderTrace,
  { equal, ttlMs, at }: { equal: EarlierRun; ttlMs: number; at: Date },
): Promise<CacheAnswer> {
  const expiresAt = new Date(equal.finishedAt.getTime() + ttlMs);
  const nearest = refOf(equal);
  if (expiresAt <= at) return expired(expiresAt, nearest);
  const refs = [...blobRefsIn(equal.result), ...(equal.context ? [equal.context] : [])].map(({ blobId }) => blobId);
  const there = await findOwnedBlobs(store, { clientId: order.clientId, ids: refs });
  if (refs.some((id) => !there.has(id))) return blobsGone(nearest);
  return { ...no('no_entry', 'An equal run was not kept: its order did not use the cache.'), nearest };
}

function tookOver({ how, orderId, jobId }: NonNullable<TracedJob['origin']>): CacheAnswer {
  const from = { orderId, jobId };
  if (how === 'cached') return { cached: true, reason: 'hit', message: 'Taken from the cache.', cachedFrom: from };
  return { ...no('reused', 'Taken over from the order that this one runs again.'), nearest: from };
}

function whyOff({ cacheTtlMs }: OrderTrace, { function: name }: TaskStep): CacheAnswer {
  if (cacheTtlMs === 0) return no('cache_off', 'The order keeps its steps from the cache.');
  if (cacheTtlMs === null) return no('cache_off', 'Neither the step nor the order uses the cache.');
  return no('function_not_cacheable', `The function '${name}' does not say that equal inputs give equal results.`);
}

function isForced({ plan, rerunFrom }: OrderTrace, step: string): boolean {
  if (rerunFrom === null) return false;
  const { dependents } = compilePlan(plan);
  const forced = new Set([rerunFrom]);
  for (const name of forced) for (const next of dependents.get(name) ?? []) forced.add(next);
  return forced.has(step);
}

function expired(expiresAt: Date, nearest: JobRef): CacheAnswer {
  return { ...no('expired', 'An equal run is older than its time.'), expiredAt: expiresAt.toISOString(), nearest };
}

function blobsGone(nearest: JobRef): CacheAnswer {
  return { ...no('blobs_gone', 'A blob of the equal result can no longer be read.'), nearest };
}

function no(reason: CacheAnswer['reason'], message: string): CacheAnswer {
  return { cached: false, reason, message };
}

function refOf({ orderId, jobId }: Pick<EarlierRun, 'orderId' | 'jobId'>): JobRef {
  return { orderId, jobId };
}
