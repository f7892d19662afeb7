export { openQueue, type OpenQueueOptions } from './open-queue.ts';
export { EventBacklogError, QueueClosedError, QueueUnavailableError, UnusableQueueError } from './errors.ts';
export type { QueueOptions } from './options.ts';
export type {
  ConsumeOptions,
  Consumer,
  Delivery,
  EventBatch,
  EventChannel,
  EventReader,
  JobQueues,
  QueueAccounts,
  QueueBackend,
  ReaderOptions,
} from './port.ts';
