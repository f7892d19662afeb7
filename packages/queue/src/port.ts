import type { JobMessage, WorkerEvent } from '@connecta/contracts';

/** One attempt of one job on its way to a worker; `id` is `deliveryId(jobId, attempt)`, `name` the function. */
export interface Delivery {
  id: string;
  name: string;
  data: JobMessage;
  /** 0 to 10; without it 5: in the order of arrival. Above, it goes in front of all that waits; below, behind it, the
   * higher ones first. */
  priority?: number;
}

/** What carries jobs to workers and their reports back. Never the truth: its store may be emptied at any moment. */
export interface QueueBackend {
  readonly kind: 'redis' | 'postgres';
  readonly jobs: JobQueues;
  readonly events: EventChannel;
  /** Credentials for one worker type's own part of the store. */
  readonly accounts: QueueAccounts;
  /** Makes sure that the store can be used as it is set up.
   * @throws UnusableQueueError with every reason at once; {@link QueueUnavailableError} when nobody answers. */
  check(): Promise<void>;
  /** Stops readers and consumers at once and ends all connections; may be called twice. */
  close(): Promise<void>;
}

/** The job queues, one per worker type. Every call rejects with {@link QueueUnavailableError} while the store is away. */
export interface JobQueues {
  /** Hands deliveries out: all worker types at once. The same id again, while it waits, stays one delivery.
   * @throws QueueUnavailableError within 2 s (`enqueueTimeoutMs`); some deliveries may have arrived all the same. */
  enqueue(byType: ReadonlyMap<string, readonly Delivery[]>): Promise<void>;
  /** How many deliveries wait and how many are taken (by live or dead consumers). */
  counts(workerType: string): Promise<{ waiting: number; active: number }>;
  /** Their ids. An active id is only held by somebody if a live instance lists it: killed consumers leave theirs. */
  ids(workerType: string): Promise<{ waiting: string[]; active: string[] }>;
  /** Takes deliveries away: waiting ones, and active ones whose consumer's lock has run out. Others are left alone. */
  remove(workerType: string, ids: readonly string[]): Promise<void>;
  /** False after the store was emptied (or for a new type): then everything must be handed out again. */
  hasMarker(workerType: string): Promise<boolean>;
  /** To be set last, when everything has been handed out again. */
  setMarker(workerType: string): Promise<void>;
  /** Starts to take deliveries; at most `slots` handlers run at once. */
  consume(workerType: string, options: ConsumeOptions): Consumer;
}

export interface ConsumeOptions {
  /** Names this instance in the store (for people who look at its connections). */
  instance: string;
  /** How many handlers may run at once. */
  slots: number;
  /** Does one delivery; it is over when this settles, except that `back` puts it back for others, untouched. A rejection
   * is only told to `onError`: nothing is redelivered. `letGo` may be called right behind {@link EventChannel.publish} of
   * its end: where the store keeps the order of the two, the delivery then leaves the queue in the same write; it stays
   * `held` until `handle` settles. */
  handle(delivery: Delivery, letGo: () => void): Promise<void | 'back'>;
}

/** A running consumer of one worker type. */
export interface Consumer {
  /** Resolves when it has asked for work for the first time. */
  readonly ready: Promise<void>;
  /** When the store last answered a request for work, or a slot was last missing to ask (ms since 1970). A value that
   * is far in the past while slots are free means that this instance gets no work. */
  lastAskedAt(): number;
  /** How many handlers run now. */
  running(): number;
  /** Ids of all deliveries taken and not over yet: those that run and those that wait for a slot. */
  held(): string[];
  /** Changes how many handlers may run at once; with 0 nothing is taken until it is changed again. What was being asked
   * for meanwhile is put back. */
  resize(slots: number): void;
  /** Takes no more work, waits up to `graceMs` for running handlers, then lets go. May be called twice. */
  close(graceMs: number): Promise<void>;
}

/** Reports of the workers, one stream per worker type: at least once, in no strict order. */
export interface EventChannel {
  /** Sends reports; concurrent calls of one event loop turn share one write. Resolves when the store has them; while it
   * is away the call stays pending and retries, so a report is not lost as long as this process lives.
   * @throws QueueClosedError when the backend is closed first; EventBacklogError when too many reports are pending. */
  publish(workerType: string, events: readonly WorkerEvent[]): Promise<void>;
  /** One member of the group of readers; every report goes to one of them. */
  reader(options: ReaderOptions): EventReader;
}

export interface ReaderOptions {
  /** The reader's name, unique among live readers. */
  consumer: string;
  /** Asked before every wait: new worker types are picked up within a second. */
  workerTypes(): readonly string[];
}

export interface EventReader {
  /** Whatever is there (about `max` reports; one write of a worker is never split), or waits for it up to `blockMs`:
   * then the batch is empty. Also brings reports that another reader took but did not acknowledge (`claimIdleMs`).
   * Does not reject while the store is away: it waits like for reports. One call at a time. */
  read(options: { max: number; blockMs: number }): Promise<EventBatch>;
  /** Ends a waiting read with an empty batch; what was read and not acknowledged goes to another reader. */
  close(): Promise<void>;
}

export interface EventBatch {
  /** `body` is parsed JSON and nothing more: the reader of it validates. */
  events: { workerType: string; body: unknown }[];
  /** Nothing else waited when these were read. False of an empty batch too when the store did not answer. */
  whole: boolean;
  /** Removes these reports from the store, in one write. Never rejects (the error goes to `onError`): reports whose
   * acknowledgement got lost are read again. */
  ack(): Promise<void>;
}

/** Credentials that are limited to one worker type's own keys. */
export interface QueueAccounts {
  /** Makes (or corrects) the account of this type and returns the URL a worker connects with. To be repeated after a
   * restart of the store, which forgets accounts: idempotent. */
  assert(workerType: string, password: string): Promise<{ url: string }>;
  /** Takes the account away and ends its connections. */
  remove(workerType: string): Promise<void>;
}
