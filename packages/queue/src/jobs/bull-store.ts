import type { PullWorker } from '../consume/pull-worker.ts';
import type { TypeQueue } from './type-queue.ts';

/** What differs between the stores that BullMQ keeps its queues in. */
export interface BullStore {
  /** What a turn of the event loop publishes and then ends reaches the store in this order. */
  readonly keepsOrder: boolean;
  /** True while {@link ready} need not be awaited: calls on the hot path start in the same turn. */
  isReady(workerType: string): boolean;
  /** Resolves when the type's queue can be used.
   * @throws QueueUnavailableError */
  ready(workerType: string): Promise<void>;
  openQueue(workerType: string): Promise<TypeQueue>;
  openWorker(workerType: string, instance: string): Promise<PullWorker>;
  hasMarker(workerType: string): Promise<boolean>;
  setMarker(workerType: string): Promise<void>;
  /** Gives a message another id and body, in its place and at once: a waiting one, one that is active under `token`,
   * or (without a token) one whose lock is gone. False when there is none. */
  rewrite(workerType: string, change: Rewrite): Promise<boolean>;
  /** True for errors that say that the store is away, not that it refused. */
  isAway(error: unknown): boolean;
}

export interface Rewrite {
  id: string;
  newId: string;
  name: string;
  data: string;
  token?: string;
}
