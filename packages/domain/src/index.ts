export {
  advance,
  begin,
  causesOfFailure,
  inputOf,
  resultOfOrder,
  resume,
  type Advance,
  type Stopped,
} from './advance.ts';
export {
  MAX_AHEAD,
  holdUpOfJob,
  holdUpOfOrder,
  holdUpOfRetry,
  holdUpOfStep,
  type HoldUp,
  type HoldUpReason,
  type Telling,
  type Line,
  type Runners,
} from './hold-ups.ts';
export { standInFor, type Outcomes } from './needs.ts';
export { compileExpression, type CompiledExpression, type Expression } from './expressions/compile.ts';
export {
  evaluate,
  evaluateCondition,
  evaluateList,
  evaluateTemplate,
  expressionsIn,
  referencesIn,
  type Evaluated,
  type Evaluation,
} from './expressions/evaluate.ts';
export { Scope, strategyOf, type EachView, type ScopeValues, type StepView } from './expressions/scope.ts';
export type { Reference } from './expressions/syntax.ts';
export { soundPart } from './checks/sound-part.ts';
export { fitsType } from './checks/faults-of-whole.ts';
export { chainOf, compileWorkflow, type CompileResult, type CompiledStep, type CompiledWorkflow } from './workflow.ts';
export {
  compilePlan,
  readPlan,
  type CompiledPlan,
  type OrderStep,
  type Plan,
  type PlannedForEach,
  type PlannedStep,
  type StepCore,
  type StoredPlan,
  type TaskStep,
  type WaitStep,
} from './plan.ts';
export { cacheTtlOf } from './cache-ttl.ts';
export { INVOCATION_PARAM, SLOT_PARAM, functionParams } from './function-params.ts';
export { coreOf, plannedCache, plannedWait } from './planned-step.ts';
export {
  backoff,
  DEFAULT_RETRY,
  decideRetry,
  type AttemptEnd,
  type RetryDecision,
  type RetryPolicy,
  type Spent,
} from './retry.ts';
export { behaviourOf, type StepBehaviour } from './behaviour.ts';
export { OFFLINE_WAIT_MS, leaseMsOf, timersOfJob, type JobTimers } from './job-timers.ts';
export {
  decideTicks,
  type MissedPolicy,
  type OverlapPolicy,
  type TickDecision,
  type TickKind,
} from './schedule/decide-ticks.ts';
export { moveSlots } from './schedule/move-slots.ts';
export { compileTimes, newestSlots, nextSlot, slotsBetween, type ScheduleTimes, type Slots } from './schedule/times.ts';
export { newBreaks, schemaBreaks, type SchemaBreak } from './compatibility/schema-breaks.ts';
export {
  findTaskCycle,
  isFresh,
  orderOfInvocation,
  planInvocation,
  usesOfTask,
  type InvocationOrder,
  type InvocationPlan,
  type LastRun,
  type TaskGraph,
  type Upstream,
} from './tasks/invocation.ts';
export { DEFAULT_TIMERS, type Timers } from './timers.ts';
export { jobMayMove, orderMayMove } from './transitions.ts';
export { endWait, type WaitAnswer, type WaitEnd } from './waits.ts';
export {
  FINGERPRINT_PARTS,
  differencesOf,
  fingerprintOf,
  fingerprintParts,
  type FingerprintDifference,
  type FingerprintPart,
  type FingerprintParts,
  type FingerprintSubject,
  type GivenContext,
} from './fingerprint.ts';
export { filesBeyond } from './files.ts';
export { stepsStoppedBy } from './steps-stopped-by.ts';
export { MAX_ITEMS, extendList, isStale, tooManyItems, type ExtendedList } from './items/extend-list.ts';
export { guardOf, stepOfItem } from './items/guard.ts';
export { NO_EXTENSION, headWork, type Extension, type HeadWork, type ItemCounts } from './items/head-work.ts';
export { takeUp, type TakenUp } from './take-up.ts';
export {
  contextsOf,
  previewRerun,
  type CachedResult,
  type OriginStep,
  type RerunDecision,
  type RerunQuestion,
  type RerunReason,
} from './preview-rerun.ts';
export { isEqualJson } from './equal-json.ts';
