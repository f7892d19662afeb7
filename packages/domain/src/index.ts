export { advance, begin, causesOfFailure, inputOf, resultOfOrder, resume, type Advance } from './advance.ts';
export { compilePlan, type CompiledPlan, type Plan, type PlannedStep } from './plan.ts';
export {
  DEFAULT_RETRY,
  decideRetry,
  type AttemptEnd,
  type RetryDecision,
  type RetryPolicy,
  type Spent,
} from './retry.ts';
export { DEFAULT_TIMERS, type Timers } from './timers.ts';
export { jobMayMove, orderMayMove } from './transitions.ts';
export { chainOf, compileWorkflow, type CompileResult, type CompiledWorkflow } from './workflow.ts';
