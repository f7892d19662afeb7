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
export { findChildEnds, findJobOrders, findOrphans, findWaitEnds, type FoundWait } from './engine/wait-ends.ts';
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
export { countItemsOf, findStalledHeads, type CountedItems } from './engine/stalled-heads.ts';
export {
  findEarlierItems,
  findPendingReturns,
  findReturnedItems,
  forgetReturnedItems,
  type EndedItem,
} from './engine/new-items.ts';
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
export { insertLateReports, type LateReport } from './engine/late-reports.ts';
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
  type OrderWrites,
} from './engine/orders.ts';
export { takeAcceptedOrders } from './engine/take-orders.ts';
export { takeToldOrders } from './engine/take-told-orders.ts';
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
export { confirmClaim } from './claims/confirm-claim.ts';
export { findAttemptError } from './claims/find-attempt-error.ts';
export { findClaims } from './claims/find-claims.ts';
export { closeClaims, findOverdueClaims, type ClaimFault, type OverdueClaim } from './claims/overdue-claims.ts';
export { recordClaims, type Claim, type ClaimTimers, type ClaimedDelivery } from './claims/record-claims.ts';
export { findReportedJob, noteReport, type ReportedJob } from './claims/reported-job.ts';
export { tellRevoked, type Revoked } from './claims/tell-revoked.ts';
export { touchInstance } from './claims/touch-instance.ts';
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
export { readIntakeSignal } from './signals/intake-signal.ts';
export { createOrderNotifier, type OrderNotifier } from './signals/notify-orders.ts';
export { BlobMovedOnError, blobRefOf, type Blob, type BlobState } from './blobs/blob.ts';
export { completeBlob } from './blobs/complete-blob.ts';
export { discardBlob } from './blobs/discard-blob.ts';
export { extendBlob } from './blobs/extend-blob.ts';
export { findBlob, findOwnedBlobs } from './blobs/find-blobs.ts';
export { insertBlob, type NewBlob } from './blobs/insert-blob.ts';
export { findProducedFiles } from './engine/produced-files.ts';
export { findJobForBlobs, findOrdersAbove, type JobForBlobs } from './blobs/job-blobs.ts';
export { rememberBlob } from './blobs/remember-blob.ts';
export { removeBlob, type BlobBytes } from './blobs/remove-blob.ts';
export {
  deleteExpiredBlobs,
  deleteOrphanBytes,
  deleteUnsettledBlobs,
  forgetFinishedUploads,
  type BlobNames,
} from './blobs/sweep-blobs.ts';
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
export { registerWorker } from './workers/register-worker.ts';
export type { AliasOutcome, Registered, Registration, TaskAlias, ToldProfile } from './workers/registration.ts';
export { UnknownWorkerTypeError, upsertProfiles, type ProfilesWritten } from './workers/upsert-profiles.ts';
export {
  recordHeartbeat,
  type Heartbeat,
  type HeartbeatVerdict,
  type HeldAttempt,
} from './workers/record-heartbeat.ts';
export { findInstance, type WorkerInstance } from './workers/find-instance.ts';
export { leaveWorker } from './workers/leave-worker.ts';
export { ANY_CLIENT, findServiceAccount, type ServiceAccount } from './service-accounts/find-service-account.ts';
export { seedServiceAccounts, type ServiceAccountSeed } from './service-accounts/seed-service-accounts.ts';
export { findOrCreatePlans, type WantedPlan } from './intake/find-or-create-plans.ts';
export { forgetOldKeys, insertOrders, type NewOrder } from './intake/insert-orders.ts';
export { listTaskNames } from './intake/list-task-names.ts';
export { readDefinitions } from './intake/read-definitions.ts';
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
} from './intake/read-intake-facts.ts';
export { findClientId } from './clients/find-client-id.ts';
export { OrderWatch, type AwaitedChange, type OrderSubscription } from './signals/order-watch.ts';
export { copyFinishedOrder, type CopyOptions } from './orders/copy-finished-order.ts';
export { findPlacedOrder, type PlacedOrder } from './orders/find-placed-order.ts';
export { findKeptResults, type KeptResult } from './orders/find-kept-results.ts';
export { findHoldUpFacts, type HoldUpFacts } from './orders/find-hold-ups.ts';
export { findOrderTrace, type OrderTrace, type TracedJob } from './orders/find-order-trace.ts';
export { findOrderHead, type OrderHead } from './orders/find-order-head.ts';
export { findOrderEvents, type NumberedEvent } from './orders/find-order-events.ts';
export { findProfileIds, listOrders, type ListedOrder, type OrderFilter } from './orders/list-orders.ts';
export { listJobs, type ListedJob } from './orders/list-jobs.ts';
export { answerWait, findAnswerableWait, type AnswerableWait } from './orders/answer-wait.ts';
export { requestCancel, type CancelOutcome } from './orders/request-cancel.ts';
export { cancelWithChildren } from './orders/cancel-with-children.ts';
export {
  findCachedJobs,
  findOriginJobs,
  forgetOldResults,
  rememberResults,
  type EarlierJob,
} from './engine/earlier-jobs.ts';
export { findEarlierRuns, type EarlierRun } from './orders/find-earlier-runs.ts';
export { requestRetry, type RetryOutcome } from './orders/request-retry.ts';
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
export { IdempotencyGoneError, IdempotencyMismatchError, type IdempotentCreate } from './idempotency/create-once.ts';
export {
  assertAdminKey,
  createApiKey,
  findApiKey,
  findApiKeyByHash,
  listApiKeys,
  revokeApiKey,
  type ApiKey,
  type ApiRole,
} from './api-keys/api-keys.ts';
export {
  createServiceAccount,
  findManagedServiceAccount,
  listServiceAccounts,
  revokeServiceAccount,
  updateServiceAccount,
  type ManagedServiceAccount,
} from './service-accounts/service-accounts.ts';
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
} from './workers/worker-types.ts';
export { readStats, type StatsRows } from './stats/read-stats.ts';
export { assertProfileUnused } from './workers/assert-profile-unused.ts';
export { findKnownProfile } from './workers/find-known-profile.ts';
export { assertClient } from './clients/assert-client.ts';
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
} from './schedules/due-schedules.ts';
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
export { appendJobLog, type LogBatch, type LogKept } from './job-logs/append-job-log.ts';
export { forgetOldLogs } from './job-logs/forget-old-logs.ts';
export {
  findLoggingJob,
  listJobLog,
  type LogPlace,
  type LoggingJob,
  type NumberedLogLine,
} from './job-logs/list-job-log.ts';
export { findOutputRule, type OutputRule } from './workers/find-output-rule.ts';
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
} from './tasks/declared-tasks.ts';
export { findOrderParams } from './orders/find-order-params.ts';
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
export { listFailedJobs, type FailedJob } from './orders/list-failed-jobs.ts';
export {
  forgetOldInstances,
  forgetOldLateReports,
  forgetOldTicks,
  type OldRecords,
} from './retention/forget-old-records.ts';
