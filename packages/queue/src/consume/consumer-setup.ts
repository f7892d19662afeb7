import type { Rewrite } from '../jobs/bull-store.ts';
import type { QueueOptions } from '../options.ts';
import type { ConsumeOptions } from '../port.ts';
import type { PullWorker } from './pull-worker.ts';

/** What a consumer of deliveries is given. */
export interface ConsumerSetup {
  openWorker(): Promise<PullWorker>;
  rewrite(change: Rewrite): Promise<boolean>;
  /** What a turn of the event loop publishes and then ends reaches the store in this order. */
  keepsOrder: boolean;
  consume: ConsumeOptions;
  options: QueueOptions;
  onClosed(): void;
}
