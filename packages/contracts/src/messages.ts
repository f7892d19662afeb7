import { z } from 'zod';
import { isId, type JobId, type ProfileId } from './ids.ts';
import { blobRefSchema, type BlobRef, type FileRef, type JsonValue } from './values.ts';

/** What a worker gets of one job: the BullMQ message's data, and the body of a claim over HTTP. */
export interface JobMessage {
  /** The input when it is exactly one blob. */
  blobId?: string;
  /** What is known of that blob. */
  blob?: Omit<BlobRef, 'blobId'>;
  /** The input when it is JSON (it may hold blob references anywhere inside). */
  value?: JsonValue;
  /** The input when it is a file on a legacy share. */
  file?: FileRef;
  profileId: ProfileId;
  profileRevision: number;
  params?: { [name: string]: JsonValue };
  /** The context that an earlier attempt or step returned. */
  context?: BlobRef;
  /** Of a step that needs several: the contexts of those that have one, by need. */
  contexts?: { [need: string]: BlobRef };
  /** A signed token: job, attempt, order, type and expiry. Shown with every report and blob transfer of this attempt. */
  lease: string;
  traceparent: string;
}

/** The code of a `retryable` failure with which a worker that has to stop gives a delivery back: nothing went wrong. */
export const RUNNER_STOPPED = 'runner_stopped';
export const ERROR_KINDS = ['retryable', 'permanent', 'business'] as const;
/** `retryable`: try again; `permanent`: the work cannot succeed; `business`: the function's own, expected refusal. */
export type ErrorKind = (typeof ERROR_KINDS)[number];

export const jobErrorSchema = z.strictObject({
  kind: z.enum(ERROR_KINDS),
  code: z.string().min(1).max(100),
  message: z.string().max(4000),
});
export interface JobError {
  kind: ErrorKind;
  code: string;
  message: string;
}

/** What a job ends with that returned new items and is no item of a list: told by whoever sees it first. */
export const NO_FOR_EACH: JobError = {
  kind: 'permanent',
  code: 'no_for_each',
  message: 'it returned new items, and is no item of a list: its step has no forEach',
};

const eventHead = {
  jobId: z.uuid(),
  attempt: z.number().int().positive(),
  lease: z.string().min(1).max(600),
  instance: z.string().max(200),
  at: z.iso.datetime(),
};
const context = blobRefSchema.optional();
/** A worker's report on one attempt; `startedAt` of an end stands for the `started` event of a short job. */
export const workerEventSchema = z.discriminatedUnion('type', [
  z.object({ ...eventHead, type: z.literal('started') }),
  z.object({ ...eventHead, type: z.literal('progress'), progress: z.number().min(0).max(1), context }),
  z.object({
    ...eventHead,
    type: z.literal('completed'),
    startedAt: z.iso.datetime().optional(),
    value: z.json(),
    newItems: z.json().optional(),
    context,
    functionVersion: z.string().max(100).optional(),
  }),
  z.object({
    ...eventHead,
    type: z.literal('failed'),
    startedAt: z.iso.datetime().optional(),
    error: jobErrorSchema,
    context,
    retryAfterMs: z.number().int().nonnegative().max(86_400_000).optional(),
  }),
]);

/** Items by which an item extends the list that it is one of; over 8 KiB of JSON: a blob that holds the list. */
export type NewItems = JsonValue[] | BlobRef;

interface EventHead {
  jobId: JobId;
  attempt: number;
  lease: string;
  instance: string;
  /** ISO 8601, the worker's clock: shown, never used for decisions. */
  at: string;
}
export type WorkerEvent = EventHead &
  (
    | { type: 'started' }
    | { type: 'progress'; progress: number; context?: BlobRef | undefined }
    | {
        type: 'completed';
        startedAt?: string | undefined;
        value: JsonValue;
        newItems?: NewItems | undefined;
        context?: BlobRef | undefined;
        /** Of the function that ran: it need not be the one that was pinned when the order was accepted. */
        functionVersion?: string | undefined;
      }
    | {
        type: 'failed';
        startedAt?: string | undefined;
        error: JobError;
        context?: BlobRef | undefined;
        retryAfterMs?: number | undefined;
      }
  );

/** The queue's id of one delivery: `<jobId>-<attempt>`. */
export function deliveryId(jobId: JobId, attempt: number): string {
  return `${jobId}-${attempt}`;
}

const ID_CHARS = 36;
const ATTEMPT_SUFFIX = /^-[1-9]\d{0,8}$/;

/** Reads a {@link deliveryId} back; null when the text is not one. */
export function parseDeliveryId(id: string): { jobId: JobId; attempt: number } | null {
  const [jobId, attempt] = [id.slice(0, ID_CHARS), id.slice(ID_CHARS)];
  if (!isId(jobId) || !ATTEMPT_SUFFIX.test(attempt)) return null;
  return { jobId: jobId as JobId, attempt: Number(attempt.slice(1)) };
}
