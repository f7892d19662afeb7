export { compilePlan, type CompiledPlan, type Plan, type PlannedStep } from './plan.ts';
export { chainOf, compileWorkflow, type CompileResult, type CompiledWorkflow } from './workflow.ts';
