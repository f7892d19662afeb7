import {
  deliveryId,
  isBlobRef,
  isFileValue,
  signLease,
  type BlobRef,
  type JobMessage,
  type JsonValue,
} from '@connecta/contracts';
import { leaseMsOf, type JobTimers } from '@connecta/domain';
import type { NewJob } from '@connecta/store';
import type { Delivery } from '@connecta/queue';
import type { KeyObject } from 'node:crypto';

/** An attempt that the engine decided to send out. */
export interface Command {
  job: NewJob;
  attempt: number;
  context: BlobRef | null;
  params: { [name: string]: JsonValue };
  /** What of the job's timers differs from the system's. */
  timers: JobTimers | undefined;
  traceparent: string;
  /** Of the order. */
  priority: number;
}

/** The message of a command: plain JSON, its lease signed. */
export function toDelivery(key: KeyObject, command: Command, now: number): Delivery {
  const { job, attempt, context, params, timers, traceparent } = command;
  const lease = signLease(key, {
    orderId: job.orderId,
    jobId: job.id,
    attempt,
    workerType: job.workerType,
    expiresAtMs: now + leaseMsOf(timers),
  });
  const data: JobMessage = {
    ...inputOf(job.input),
    profileId: job.profileId,
    profileRevision: job.profileRevision,
    lease,
    traceparent,
  };
  if (context) data.context = context;
  if (job.contextIn?.contexts) data.contexts = job.contextIn.contexts;
  for (const _ in params) {
    data.params = params;
    break;
  }
  return { id: deliveryId(job.id, attempt), name: job.function, data, priority: command.priority };
}

function inputOf(input: JsonValue): Pick<JobMessage, 'blobId' | 'blob' | 'file' | 'value'> {
  if (typeof input !== 'object' || input === null) return { value: input };
  if (isBlobRef(input)) {
    const { blobId, ...blob } = input;
    return { blobId, blob };
  }
  return isFileValue(input) ? { file: input.file } : { value: input };
}
