export { openStore, type Store, type StoreOptions } from './store.ts';
export { CommitUnknown, inBatch, type Batch } from './engine/batch.ts';
export { findCancelledAttempts, findOrderState, findStalledOrders } from './engine/finished.ts';
export { advanceFreeClocks, forgetOldHolds, listWorkerTypes, loseSilentInstances } from './engine/instances.ts';
export {
  completeJobs,
  completeKnownJobs,
  findJobs,
  findStepFacts,
  moveJobs,
  noteRanVersions,
  queueJobs,
  recordProgress,
  startJobs,
  type ChangedJob,
  type CompletedReport,
  type EngineJob,
  type JobMove,
  type JobOrigin,
  type NewJob,
  type StepFact,
} from './engine/jobs.ts';
export { findChildren, insertChildOrders, type ChildEnd, type ChildOrder } from './engine/children.ts';
export { findChildEnds, findJobOrders, findOrphans, findWaitEnds, type FoundWait } from './engine/waitEnds.ts';
export {
  findForgottenWork,
  findHeads,
  findWork,
  postponeWork,
  readHeadList,
  readItemResults,
  readResultsOf,
  readStepFacts,
  writeHeads,
  type HeadWrite,
  type WorkJob,
} from './engine/heads.ts';
export { countItemsOf, findStalledHeads, type CountedItems } from './engine/stalledHeads.ts';
export {
  findEarlierItems,
  findPendingReturns,
  findReturnedItems,
  forgetReturnedItems,
  type EndedItem,
} from './engine/newItems.ts';
export {
  endWaitingJobs,
  lockWaitingJobs,
  writeOtherJobs,
  type JobKind,
  type JobWork,
  type OtherJob,
  type WaitDecision,
  type WaitEndRow,
  type WaitingJob,
} from './engine/waiting.ts';
export { insertLateReports, type LateReport } from './engine/lateReports.ts';
export {
  findOrderInputs,
  isNotAsKnown,
  lockKnownOrders,
  lockOrders,
  isTold,
  writeOrders,
  type AcceptedOrder,
  type HistoryRow,
  type LockedOrder,
  type OrderWrite,
} from './engine/orders.ts';
export { takeAcceptedOrders } from './engine/takeOrders.ts';
export {
  countOpenAttempts,
  findDueBackoffs,
  findLostRuns,
  findOfflineAttempts,
  findOpenAttempts,
  findOverdueCompletions,
  findOverdueStarts,
  type OpenAttempt,
  type OverdueAttempt,
} from './engine/overdue.ts';
export { confirmClaim } from './claims/confirmClaim.ts';
export { findAttemptError } from './claims/findAttemptError.ts';
export { findClaims } from './claims/findClaims.ts';
export { closeClaims, findOverdueClaims, type ClaimFault, type OverdueClaim } from './claims/overdueClaims.ts';
export { recordClaims, type Claim, type ClaimTimers, type ClaimedDelivery } from './claims/recordClaims.ts';
export { findReportedJob, noteReport, type ReportedJob } from './claims/reportedJob.ts';
export { tellRevoked, type Revoked } from './claims/tellRevoked.ts';
export { touchInstance } from './claims/touchInstance.ts';
export { Leadership } from './engine/leadership.ts';
export { findPlans } from './engine/plans.ts';
export {
  CHANNELS,
  listen,
  readOrderSignal,
  type Channel,
  type ListenOptions,
  type OrderChange,
} from './signals/listen.ts';
export { createOrderNotifier, type OrderNotifier } from './signals/notifyOrders.ts';
export { BlobMovedOnError, blobRefOf, type Blob, type BlobState } from './blobs/blob.ts';
export { completeBlob } from './blobs/completeBlob.ts';
export { discardBlob } from './blobs/discardBlob.ts';
export { extendBlob } from './blobs/extendBlob.ts';
export { findBlob, findOwnedBlobs } from './blobs/findBlobs.ts';
export { insertBlob, type NewBlob } from './blobs/insertBlob.ts';
export { findProducedFiles } from './engine/producedFiles.ts';
export { findJobForBlobs, findOrdersAbove, type JobForBlobs } from './blobs/jobBlobs.ts';
export { rememberBlob } from './blobs/rememberBlob.ts';
export { removeBlob, type BlobBytes } from './blobs/removeBlob.ts';
export {
  deleteExpiredBlobs,
  deleteOrphanBytes,
  deleteUnsettledBlobs,
  forgetFinishedUploads,
  type BlobNames,
} from './blobs/sweepBlobs.ts';
export {
  UploadLockLostError,
  advanceUpload,
  createUpload,
  findUpload,
  finishUpload,
  lockUpload,
  renewUploadLock,
  setUploadLength,
  unlockUpload,
  type LockedUpload,
  type NewUpload,
  type Upload,
} from './blobs/uploads.ts';
export { registerWorker } from './workers/registerWorker.ts';
export type { AliasOutcome, Registered, Registration, TaskAlias, ToldProfile } from './workers/registration.ts';
export { UnknownWorkerTypeError, upsertProfiles, type ProfilesWritten } from './workers/upsertProfiles.ts';
export { recordHeartbeat, type Heartbeat, type HeartbeatVerdict, type HeldAttempt } from './workers/recordHeartbeat.ts';
export { findInstance, type WorkerInstance } from './workers/findInstance.ts';
export { leaveWorker } from './workers/leaveWorker.ts';
export { ANY_CLIENT, findServiceAccount, type ServiceAccount } from './service-accounts/findServiceAccount.ts';
export { seedServiceAccounts, type ServiceAccountSeed } from './service-accounts/seedServiceAccounts.ts';
export { findOrCreatePlans, type WantedPlan } from './intake/findOrCreatePlans.ts';
export { forgetOldKeys, insertOrders, type NewKey, type NewOrder } from './intake/insertOrders.ts';
export { listTaskNames } from './intake/listTaskNames.ts';
export { readDefinitions } from './intake/readDefinitions.ts';
export {
  blobRefOfFact,
  readIntakeFacts,
  type BlobFact,
  type ClientFact,
  type IntakeFacts,
  type KeyFact,
  type FunctionFact,
  type ProfileFact,
  type WantedFacts,
  type WorkflowFact,
} from './intake/readIntakeFacts.ts';
export { findClientId } from './clients/findClientId.ts';
export { OrderWatch, type AwaitedChange, type OrderSubscription } from './signals/orderWatch.ts';
export { copyFinishedOrder, type CopyOptions } from './orders/copyFinishedOrder.ts';
export { findPlacedOrder, type PlacedOrder } from './orders/findPlacedOrder.ts';
export { findKeptResults, type KeptResult } from './orders/findKeptResults.ts';
export { findHoldUpFacts, type HoldUpFacts } from './orders/findHoldUps.ts';
export { findOrderTrace, type OrderTrace, type TracedJob } from './orders/findOrderTrace.ts';
export { findOrderHead, type OrderHead } from './orders/findOrderHead.ts';
export { findOrderEvents, type NumberedEvent } from './orders/findOrderEvents.ts';
export { findProfileIds, listOrders, type ListedOrder, type OrderFilter } from './orders/listOrders.ts';
export { listJobs, type ListedJob } from './orders/listJobs.ts';
export { answerWait, findAnswerableWait, type AnswerableWait } from './orders/answerWait.ts';
export { requestCancel, type CancelOutcome } from './orders/requestCancel.ts';
export { cancelWithChildren } from './orders/cancelWithChildren.ts';
export {
  findCachedJobs,
  findOriginJobs,
  forgetOldResults,
  rememberResults,
  type EarlierJob,
} from './engine/earlierJobs.ts';
export { findEarlierRuns, type EarlierRun } from './orders/findEarlierRuns.ts';
export { requestRetry, type RetryOutcome } from './orders/requestRetry.ts';
export {
  InUseError,
  NameTakenError,
  createClient,
  deleteClient,
  findClient,
  listClients,
  replaceClient,
  type Client,
  type ClientContent,
} from './clients/clients.ts';
export { IdempotencyGoneError, IdempotencyMismatchError, type IdempotentCreate } from './idempotency/createOnce.ts';
export {
  assertAdminKey,
  createApiKey,
  findApiKey,
  findApiKeyByHash,
  listApiKeys,
  revokeApiKey,
  type ApiKey,
  type ApiRole,
} from './api-keys/apiKeys.ts';
export {
  createServiceAccount,
  findManagedServiceAccount,
  listServiceAccounts,
  revokeServiceAccount,
  updateServiceAccount,
  type ManagedServiceAccount,
} from './service-accounts/serviceAccounts.ts';
export {
  createWorkflow,
  deleteWorkflow,
  findWorkflow,
  findWorkflowVersion,
  listWorkflowVersions,
  listWorkflows,
  replaceWorkflow,
  type Workflow,
  type WorkflowVersion,
} from './workflows/workflows.ts';
export {
  askToDrain,
  listInstances,
  listTasks,
  listWorkerTypeSummaries,
  type ListedInstance,
  type ListedTask,
  type WorkerTypeSummary,
} from './workers/workerTypes.ts';
export { readStats, type StatsRows } from './stats/readStats.ts';
export { assertProfileUnused } from './workers/assertProfileUnused.ts';
export { findKnownProfile } from './workers/findKnownProfile.ts';
export { assertClient } from './clients/assertClient.ts';
export {
  createChannel,
  deleteChannel,
  findChannel,
  findWebhookGeneration,
  listChannels,
  replaceChannel,
  rotateWebhookSecret,
  type ChannelKind,
  type NotificationChannel,
  type NotificationChannelContent,
} from './notifications/channels.ts';
export {
  DELIVERY_STATES,
  findDelivery,
  forgetOldDeliveries,
  listDeliveries,
  recordAttempt,
  redeliver,
  takeDueDeliveries,
  type Delivery,
  type DeliveryState,
  type NewDelivery,
} from './notifications/deliveries.ts';
export type { EndedOrder, OfflineType, Owner, UntoldFailure } from './notifications/failures.ts';
export {
  forgetOldNotices,
  listNotices,
  type NewNotice,
  type Notice,
  type NoticeKind,
} from './notifications/notices.ts';
export { collectNotices, collectOrderEnds, giveUpChannel, spreadNotices } from './notifications/turns.ts';
export type { Schedule, ScheduleContent, ScheduleTick, TickState, WrittenTimes } from './schedules/schedule.ts';
export {
  changeSchedule,
  createSchedule,
  deleteSchedule,
  findSchedule,
  listSchedules,
  readClock,
  type ScheduleChange,
} from './schedules/schedules.ts';
export {
  findDueSchedules,
  findQueuedSlots,
  findReplacedOrders,
  findWaitingSchedules,
  settleTicks,
  tellScheduleProblem,
  type ScheduleNow,
  type WaitingSchedule,
} from './schedules/dueSchedules.ts';
export {
  findTicksBetween,
  fireManualTick,
  fireQueuedTick,
  listTicks,
  queueTicks,
  recordTicks,
  type NewTick,
  type TickGuard,
} from './schedules/ticks.ts';
export { appendJobLog, type LogBatch, type LogKept } from './job-logs/appendJobLog.ts';
export { forgetOldLogs } from './job-logs/forgetOldLogs.ts';
export {
  findLoggingJob,
  listJobLog,
  type LogPlace,
  type LoggingJob,
  type NumberedLogLine,
} from './job-logs/listJobLog.ts';
export { findOutputRule, type OutputRule } from './workers/findOutputRule.ts';
export {
  TaskCycleError,
  findLastRuns,
  findTaskProfiles,
  listDeclaredTasks,
  listOwnerTeams,
  type DeclaredTask,
  type KnownTask,
  type TaskRun,
  type TaskSchedule,
} from './tasks/declaredTasks.ts';
export { findOrderParams } from './orders/findOrderParams.ts';
export {
  findCompatibilityMode,
  findFunctions,
  isToldByRunners,
  readCompatibilityFacts,
  setCompatibilityMode,
  type CompatibilityFacts,
  type CompatibilityMode,
  type FunctionSchemas,
} from './tasks/compatibility.ts';
export { listFailedJobs, type FailedJob } from './orders/listFailedJobs.ts';
export {
  forgetOldInstances,
  forgetOldLateReports,
  forgetOldTicks,
  type OldRecords,
} from './retention/forgetOldRecords.ts';
