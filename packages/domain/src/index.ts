export { advance, begin, failedOutputs, inputOf, resultOfOrder, resume, type Advance } from './advance.ts';
export { compilePlan, type CompiledPlan, type Plan, type PlannedStep } from './plan.ts';
export {
  DEFAULT_RETRY,
  backoff,
  decideRetry,
  type AttemptEnd,
  type RetryDecision,
  type RetryPolicy,
  type Spent,
} from './retry.ts';
export { DEFAULT_OFFLINE, DEFAULT_TIMERS, completeBy, type OfflinePolicy, type Timers } from './timers.ts';
export { JOB_MOVES, ORDER_MOVES, jobMayMove, orderMayMove } from './transitions.ts';
export { chainOf, compileWorkflow, type CompileResult, type CompiledWorkflow } from './workflow.ts';
