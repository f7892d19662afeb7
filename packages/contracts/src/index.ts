export {
  isId,
  longId,
  newId,
  shortId,
  type BlobId,
  type ClientId,
  type Id,
  type JobId,
  type OrderId,
  type PlanId,
  type ProfileId,
  type ScheduleId,
  type WorkerInstanceId,
  type WorkflowVersionId,
} from './ids.ts';
export {
  ENDED_JOB_STATES,
  INSTANCE_STATES,
  JOB_STATES,
  OPEN_JOB_STATES,
  ORDER_STATES,
  isEnded,
  type EndedJobState,
  type InstanceState,
  type JobState,
  type OrderState,
} from './states.ts';
export {
  INLINE_VALUE_BYTES,
  MAX_JSON_DEPTH,
  blobRefSchema,
  blobRefsIn,
  fileRefSchema,
  fileRefsIn,
  isBlobRef,
  isDeeperThan,
  isFileValue,
  isStorable,
  jsonBytes,
  type BlobRef,
  type FileRef,
  type JsonValue,
} from './values.ts';
export {
  ERROR_KINDS,
  RUNNER_STOPPED,
  deliveryId,
  jobErrorSchema,
  parseDeliveryId,
  workerEventSchema,
  type ErrorKind,
  type JobError,
  type JobMessage,
  type WorkerEvent,
  NO_FOR_EACH,
  type NewItems,
} from './messages.ts';
export {
  PROBLEMS,
  Problem,
  type EngineErrorCode,
  type Fault,
  type ProblemCode,
  type ProblemDocument,
} from './errors.ts';
export { LOG_LEVELS, LOG_LIMITS, boundedLine, type LogLevel, type LogLine } from './logs.ts';
export {
  describeBreach,
  type FunctionBehaviour,
  type FunctionRetry,
  type FunctionTimers,
  type OfflinePolicy,
  type Producer,
} from './functions.ts';
export { MAX_DURATION_MS, parseDuration } from './durations.ts';
export { callbackToken, readCallbackToken, type CallbackTarget } from './callbacks.ts';
export { leaseKey, readLease, signLease, type Lease } from './leases.ts';
export {
  DEFAULT_PRIORITY,
  EDGES,
  MAX_STEPS,
  NAME_PATTERN,
  RETRY_CAUSES,
  STRATEGIES,
  parseNeed,
  parseTask,
  type Cel,
  type Duration,
  type Edge,
  type RetryCause,
  type Strategy,
  type Template,
  type WorkflowDefinition,
  type WorkflowForEach,
  type WorkflowOrderStep,
  type WorkflowParam,
  type WorkflowStep,
  type WorkflowStepBase,
  type WorkflowTaskStep,
  type WorkflowWaitStep,
} from './workflow.ts';
export type { HistoryEvent, Progress, SkipReason, StepState, WaitsFor } from './history.ts';
export { createMessageChecker, type AsyncApiSchema } from './asyncapi.ts';
export { ASYNCAPI_DOCUMENT, OPENAPI_DOCUMENTS } from './documents.ts';
export type { operations as BeApiOperations, paths as BeApiPaths } from './generated/be-api.d.ts';
export type { operations as FeApiOperations, paths as FeApiPaths } from './generated/fe-api.d.ts';
export type { operations as WorkerApiOperations, paths as WorkerApiPaths } from './generated/worker-api.d.ts';
export { WORKFLOW_SCHEMA, parseWorkflow, type ParsedWorkflow } from './workflow-schema.ts';
