import type { JobError, JsonValue, NewItems, Problem } from '@connecta/contracts';
import { isEqualJson } from '@connecta/domain';
import type { ReportedJob } from '@connecta/store';
import { refusalOf } from './held-job.ts';

/** The end that a worker reports of an attempt. */
export type ReportedEnd =
  { type: 'completed'; value: JsonValue; newItems?: NewItems | undefined } | { type: 'failed'; error: JobError };

/** `open`: the engine has not said yet; `recorded`: this report is what became of the attempt. */
export type ReportVerdict = { is: 'open' } | { is: 'recorded' } | { is: 'refused'; problem: Problem };

/**
 * What became of a report, as far as the job's row tells. The row is written by the engine alone, under the order's lock,
 * so whichever report it took, a worker is told the same by every replica.
 */
export function judgeReport(job: ReportedJob, attempt: number, end: ReportedEnd): ReportVerdict {
  const problem = refusalOf(job, attempt);
  if (problem === null) return { is: 'open' };
  return tookPlace(job, attempt, end) ? { is: 'recorded' } : { is: 'refused', problem };
}

function tookPlace(job: ReportedJob, attempt: number, end: ReportedEnd): boolean {
  if (job.superseded === attempt) return true;
  if (end.type === 'completed') {
    return job.attempt === attempt && job.state === 'completed' && isEqualJson(job.result, end.value);
  }
  return job.attempt === attempt && (job.state === 'error' || job.state === 'pending') && isSame(job.error, end.error);
}

/** Whether an error that stands of an attempt is the reported one. */
export function isSame(stands: JobError | null, reported: JobError): boolean {
  return stands?.kind === reported.kind && stands.code === reported.code && stands.message === reported.message;
}
