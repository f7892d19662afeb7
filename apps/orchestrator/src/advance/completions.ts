import type { JobId, WorkerEvent } from '@connecta/contracts';
import type { CompletedReport } from '@connecta/store';
import type { Report } from './read-report.ts';

/** The report of an attempt that completed. */
export type Completion = Report & { event: Extract<WorkerEvent, { type: 'completed' }> };

export function isCompletion(report: Report): report is Completion {
  return report.event.type === 'completed';
}

/** Who says it, of which attempt. */
export interface ReportHead {
  jobId: JobId;
  attempt: number;
  workerType: string;
  instance: string;
}

export function headOf({ event, lease }: Report): ReportHead {
  return { jobId: event.jobId, attempt: event.attempt, workerType: lease.workerType, instance: event.instance };
}

export function toCompleted(report: Completion): CompletedReport {
  const { startedAt, value, newItems, context } = report.event;
  return { ...headOf(report), startedAt, value, newItems, context };
}
