export {
  defineFunction,
  type ChildOrder,
  type ChildOrderRequest,
  type FunctionContext,
  type FunctionDefinition,
  type FunctionLog,
  type FunctionResult,
  type JobBlobs,
  type JsonSchema,
  type NewBlob,
  type WorkerFunction,
} from './function/function.ts';
export type { FunctionBehaviour, FunctionRetry, FunctionTimers, OfflinePolicy } from '@connecta/contracts';
export { FunctionError, type FunctionErrorOptions } from './function/function-error.ts';
export { JobFolders } from './job-folders/job-folders.ts';
export { isMarkOfDeadProcess, processMark } from './job-folders/process-mark.ts';
export { BLOB_REF_SCHEMA, FILE_VALUE_SCHEMA } from './function/schemas.ts';
export { FunctionTrial, TrialFailure, type TrialOutcome, type TrialRun } from './testing/function-trial.ts';
export type { SampleProfile } from './profiles/samples.ts';
export {
  readRunnerConfig,
  readWorkerApiConfig,
  type RunnerConfig,
  type WorkerApiConfig,
  type WorkerConfig,
} from './process/config.ts';
export { startRunner, type Runner, type RunnerOptions } from './process/start-runner.ts';
export { startWorkerApi, type WorkerApi, type WorkerApiOptions } from './process/start-worker-api.ts';
export { type TaskDeclaration, type WorkerType } from './process/worker-type.ts';
export { KEPT_SECRET } from './profiles/settings.ts';
export {
  BeApiError,
  dataOf,
  errorOf,
  isPassing,
  openBeApi,
  withRetries,
  type BeApi,
  type BeApiOptions,
  type BytesRequest,
} from './be-api/client.ts';
