import { createHash } from 'node:crypto';
import {
  newId,
  type BlobId,
  type BlobRef,
  type JobId,
  type JobMessage,
  type JsonValue,
  type OrderId,
  type ProfileId,
} from '@connecta/contracts';
import type { Case } from '../cases.ts';

/** A call about a job, as it came. */
export interface JobCall {
  atMs: number;
  what: string;
  body: JsonValue;
  status: number;
}

/** A stored blob. */
export interface FakeBlob {
  ref: BlobRef;
  bytes: Buffer;
}

export type FakeJobState = 'waiting' | 'claimed' | 'acked' | 'started' | 'completed' | 'failed';

/** One attempt of one job in the fake orchestrator, with everything that its worker said of it. */
export class FakeJob {
  readonly jobId = newId<JobId>();
  readonly orderId = newId<OrderId>();
  readonly attempt: number;
  readonly lease: string;
  readonly calls: JobCall[] = [];
  readonly blobs = new Map<string, FakeBlob>();
  readonly function: string;
  readonly profileId: string;
  readonly profileRevision: number;
  readonly input: { value: JsonValue } | { blobId: BlobId; blob: Omit<BlobRef, 'blobId'> };
  readonly context: BlobRef | undefined;
  state: FakeJobState = 'waiting';
  /** Told in answers to heartbeats. */
  verdict: 'held' | 'cancel' | 'stale' = 'held';
  /** Every report but a heartbeat is answered 409. */
  refused = false;
  /** Its first end is answered 409, as everything from then on. */
  refusesEnd = false;
  claimedAtMs = 0;
  endedAtMs = 0;
  endBody: string | undefined;

  constructor(options: {
    case: Case;
    profile: { id: string; revision: number; function: string } | undefined;
    attempt?: number;
    context?: FakeBlob | undefined;
  }) {
    const { case: made, profile } = options;
    this.attempt = options.attempt ?? 1;
    this.function = made.function ?? profile?.function ?? 'unknown';
    this.profileId = profile?.id ?? newId<ProfileId>();
    this.profileRevision = profile?.revision ?? 1;
    this.lease = `lease-${newId()}`;
    if (made.content !== undefined) {
      const blob = this.store(Buffer.from(repeated(made.content, made)), made.mediaType ?? 'text/plain');
      const { blobId, ...rest } = blob.ref;
      this.input = { blobId, blob: rest };
    } else {
      const { input = null } = made;
      this.input = { value: typeof input === 'string' ? repeated(input, made) : input };
    }
    this.context = options.context?.ref;
    if (options.context) this.blobs.set(options.context.ref.blobId, options.context);
  }

  store(bytes: Buffer, mediaType: string, blobId = newId<BlobId>()): FakeBlob {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const blob = { ref: { blobId, mediaType, size: bytes.length, sha256 }, bytes };
    this.blobs.set(blobId, blob);
    return blob;
  }

  /** What its worker is told of it, over whatever transport. */
  message(): JobMessage {
    const { profileId, profileRevision, lease, context, input } = this;
    return {
      ...input,
      ...(context ? { context } : {}),
      ...{ profileId: profileId as ProfileId, profileRevision, lease },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      // A worker must live with what later versions add.
      ...{ addedByALaterVersion: { anything: [1, null] } },
    };
  }

  note(what: string, body: JsonValue, status: number): void {
    this.calls.push({ atMs: Date.now(), what, body, status });
  }

  ended(): boolean {
    return this.state === 'completed' || this.state === 'failed';
  }

  /** The calls of one kind. */
  of(...what: string[]): JobCall[] {
    return this.calls.filter((call) => what.includes(call.what));
  }
}

function repeated(text: string, { inputRepeat = 1 }: Case): string {
  return text.repeat(Math.min(Math.max(inputRepeat, 1), 100_000));
}
