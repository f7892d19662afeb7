export { announcedBytes, bodyOf, dropBody } from './blobs/body-of.ts';
export { fileNameFrom, mediaTypeFrom } from './blobs/names.ts';
export {
  receiveBlob,
  receiveBlobOnce,
  refuseTooLarge,
  storeBytes,
  type BlobIntake,
  type IncomingBlob,
} from './blobs/receive-blob.ts';
export { storeValue } from './blobs/store-value.ts';
export { ownValue } from './input.ts';
export { createIntake, type Intake } from './intake.ts';
export { prepareScheduled, type ScheduledOrders, type ScheduledParts } from './prepare-scheduled.ts';
export { findBreaks, type Break, type TypeChange } from './tasks/find-breaks.ts';
export { taskFaults, timesOfTask } from './tasks/task-faults.ts';
export {
  findTaskRuns,
  planTaskInvocation,
  readInvocation,
  type PlannedInvocation,
  type TaskInvocation,
} from './tasks/invoke-task.ts';
export type { PreparedOrder, StoreValue } from './prepare.ts';
export type { IdempotencyKey, IntakeRequest, OrderRequest, Outcome, Rerun } from './requests.ts';
export { validateWorkflow } from './validate-workflow.ts';
