import { blobRefsIn, type FeApiOperations } from '@connecta/contracts';
import { compilePlan, differencesOf, type TaskStep } from '@connecta/domain';
import type { OperationAnswer } from '@connecta/runtime';
import {
  findEarlierRuns,
  findOwnedBlobs,
  type EarlierRun,
  type OrderTrace,
  type Store,
  type TracedJob,
} from '@connecta/store';
import { partsOf } from './preview-rerun.ts';
import { differenceView } from './words.ts';

export type CacheAnswer = OperationAnswer<FeApiOperations['explainCache'], 200>;

/** Why a job's result was, or was not, taken from the result cache. */
export async function explainCache(store: Store, order: OrderTrace, job: TracedJob): Promise<CacheAnswer> {
  const step = order.plan.steps[job.step];
  if (step?.kind !== 'task') return no('not_a_task', 'Only the results of tasks are kept.');
  if (job.origin) return tookOver(job.origin);
  const ttlMs = ttlOf(order, step);
  if (ttlMs === 0) return whyOff(order, step);
  if (isForced(order, job.step)) return no('forced', 'The re-run asked for this step, or one before it, to run.');
  if (job.fingerprint === null) return no('no_fingerprint', 'Nothing proves what its result depends on.');
  const at = new Date(job.createdAt);
  const runs = await findEarlierRuns(store, { clientId: order.clientId, orderId: order.id, step: job.step, at });
  const [equal] = runs.filter(({ fingerprint }) => fingerprint === job.fingerprint);
  const fingerprint = { fingerprint: job.fingerprint };
  if (equal) return { ...(await whyNotTaken(store, order, { equal, ttlMs, at })), ...fingerprint };
  const [nearest] = runs;
  if (!nearest) return { ...no('no_entry', 'No earlier order of the client ran this step.'), ...fingerprint };
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

async function whyNotTaken(
  store: Store,
  order: OrderTrace,
  { equal, ttlMs, at }: { equal: EarlierRun; ttlMs: number; at: Date },
): Promise<CacheAnswer> {
  const expiresAt = new Date(equal.finishedAt.getTime() + ttlMs);
  const nearest = refOf(equal);
  if (expiresAt <= at) {
    return { ...no('expired', 'An equal run is older than its time.'), expiredAt: expiresAt.toISOString(), nearest };
  }
  const refs = [...blobRefsIn(equal.result), ...(equal.context ? [equal.context] : [])].map(({ blobId }) => blobId);
  const there = await findOwnedBlobs(store, { clientId: order.clientId, ids: refs });
  if (refs.some((id) => !there.has(id))) {
    return { ...no('blobs_gone', 'A blob of the equal result can no longer be read.'), nearest };
  }
  return { ...no('no_entry', 'An equal run was not kept: its order did not use the cache.'), nearest };
}

function tookOver({ how, orderId, jobId }: NonNullable<TracedJob['origin']>): CacheAnswer {
  const from = { orderId, jobId };
  if (how === 'cached') return { cached: true, reason: 'hit', message: 'Taken from the cache.', cachedFrom: from };
  return { ...no('reused', 'Taken over from the order that this one runs again.'), nearest: from };
}

function ttlOf(order: OrderTrace, step: TaskStep): number {
  if (order.cacheTtlMs === 0) return 0;
  return step.cache?.ttlMs ?? (step.cacheable === true ? (order.cacheTtlMs ?? 0) : 0);
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

function no(reason: CacheAnswer['reason'], message: string): CacheAnswer {
  return { cached: false, reason, message };
}

function refOf({ orderId, jobId }: EarlierRun): { orderId: string; jobId: string } {
  return { orderId, jobId };
}
