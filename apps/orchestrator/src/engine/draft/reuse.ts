import { cacheTtlOf, type TaskStep } from '@connecta/domain';
import type { EarlierJob, JobOrigin } from '@connecta/store';
import { taskJob, type JobPlace, type TaskInput } from '../steps/new-job.ts';
import type { Ledger } from './ledger.ts';

/** How far ahead the earlier jobs of an order that is run again are read: a chain of reused steps is one transaction. */
const AHEAD = 64;

/** A fingerprint that the cache was not asked for yet, or what a step takes over, or nothing: it runs. */
export type Reuse = 'ask' | { earlier: EarlierJob; how: JobOrigin['how'] } | null;

/** What a job with this fingerprint may take over: from the order that its own runs again, else from the cache. */
export function findReuse(ledger: Ledger, name: string, step: TaskStep, fingerprint: string | null): Reuse {
  if (fingerprint === null || ledger.isForced(name)) return null;
  const origin = ledger.extras.origins.get(name);
  if (origin?.fingerprint === fingerprint) return { earlier: origin, how: 'reused' };
  const ttlMs = cacheTtlOf(ledger.order.cacheTtlMs, step);
  if (ttlMs === 0) return null;
  const cached = ledger.extras.cached.get(fingerprint);
  if (cached === undefined) {
    ledger.openExtras().wantedCached.set(fingerprint, ttlMs);
    return 'ask';
  }
  return cached && cached.ageMs < ttlMs ? { earlier: cached, how: 'cached' } : null;
}

/** Lets a step complete without running when an earlier job with its fingerprint did. */
export function reuseStep(ledger: Ledger, at: JobPlace, step: TaskStep, begin: TaskInput): 'completed' | 'ask' | null {
  if (ledger.order.rerunOf === null && cacheTtlOf(ledger.order.cacheTtlMs, step) === 0) return null;
  const job = taskJob(at, step, begin);
  const reuse = findReuse(ledger, at.name, step, job.fingerprint ?? null);
  if (reuse === null || reuse === 'ask') return reuse;
  const { earlier, how } = reuse;
  const from = { orderId: earlier.orderId, jobId: earlier.id };
  // A context that the earlier job was only given is the same one here.
  ledger.newJobs.push({ ...job, result: earlier.result, context: earlier.context, origin: { how, ...from } });
  const told = how === 'reused' ? { reusedFrom: from } : { cachedFrom: from };
  ledger.events.push({ type: 'job', step: at.name, jobId: at.id, attempt: 0, state: 'completed', ...told });
  const { result, context } = earlier;
  ledger.facts.set(at.name, { state: 'completed', result, error: null, outcome: null, context });
  return 'completed';
}

/** The steps whose earlier jobs are wanted: these and those that follow, as far as they are not known. */
export function originsWanted(ledger: Ledger, open: readonly string[]): string[] {
  const { plan } = ledger;
  const { origins } = ledger.extras;
  if (ledger.order.rerunOf === null || open.every((step) => origins.has(step))) return [];
  const wanted = new Set(open);
  for (const step of wanted) {
    for (const next of plan.dependents.get(step) ?? []) if (wanted.size < AHEAD) wanted.add(next);
  }
  return [...wanted].filter((step) => !origins.has(step));
}
