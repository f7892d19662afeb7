import { INLINE_VALUE_BYTES, jsonBytes, workerEventSchema, type JsonValue } from '@connecta/contracts';
import type { FakeBeApi } from './fake-be-api.ts';
import type { FakeJob } from './fake-job.ts';

/** The call that says over HTTP what a report says on the event stream. */
const CALL = { started: 'start', progress: 'heartbeat', completed: 'complete', failed: 'fail' } as const;

/** Takes a report from the event stream: it is noted as the call that it stands for. */
export function hearReport(fake: FakeBeApi, body: unknown): void {
  const { success, data: report, error } = workerEventSchema.safeParse(body);
  if (!success) {
    fake.badReports.push(`a report is none: ${error.message} ${JSON.stringify(body).slice(0, 300)}`);
    return;
  }
  const job = fake.find(report.jobId);
  if (!job) return void fake.badReports.push(`a report names a job that was not given: ${report.jobId}`);
  const what = CALL[report.type];
  if (report.lease !== job.lease || report.attempt !== job.attempt) {
    job.note('wrong-lease', null, 409);
    return;
  }
  const told = report.type === 'failed' ? { ...report.error, retryAfterMs: report.retryAfterMs ?? null } : {};
  const isLarge = report.type === 'completed' && jsonBytes(report.value) > INLINE_VALUE_BYTES;
  const isLate = job.refused || job.verdict !== 'held';
  // Without what differs when the same is said again.
  const { jobId, attempt, lease, instance, at, type, ...rest } = report;
  job.note(what, { ...rest, ...told } as JsonValue, isLarge ? 413 : isLate ? 409 : 200);
  if (!isLarge && !isLate) advance(job, what);
}

function advance(job: FakeJob, what: (typeof CALL)[keyof typeof CALL]): void {
  if (job.ended()) return;
  if (what === 'complete' || what === 'fail') {
    job.state = what === 'complete' ? 'completed' : 'failed';
    job.endedAtMs = Date.now();
  } else {
    job.state = 'started';
  }
}
