import type { Edge, JobError, JsonValue } from '@connecta/contracts';
import type { CompiledPlan, WaitStep } from './plan.ts';

/** What ended a wait. */
export type WaitAnswer =
  | { kind: 'answered'; value: JsonValue }
  | {
      kind: 'decided';
      decision: 'approve' | 'reject' | 'edit';
      value?: JsonValue | undefined;
      comment?: string | undefined;
    }
  | { kind: 'due' };

/** How a waiting job ends. */
export type WaitEnd = { state: 'completed'; result: JsonValue; outcome?: Edge } | { state: 'error'; error: JobError };

/**
 * Decides how a wait ends. A rejection and a time-out are errors, unless some step needs just this edge; then the wait
 * completes with what came in.
 */
export function endWait(plan: CompiledPlan, name: string, input: JsonValue, answer: WaitAnswer): WaitEnd {
  if (answer.kind === 'answered') return { state: 'completed', result: answer.value };
  if (answer.kind === 'due') {
    const { wait } = plan.steps.get(name) as WaitStep;
    if (wait.for === 'time') return { state: 'completed', result: input };
    const message = `nobody answered within ${wait.timeoutMs ?? 0} ms`;
    return ended(plan, name, input, { edge: 'timeout', code: 'wait_timeout', message });
  }
  if (answer.decision === 'approve') return { state: 'completed', result: input, outcome: 'approve' };
  if (answer.decision === 'edit') return { state: 'completed', result: answer.value ?? null, outcome: 'edit' };
  const message = answer.comment === undefined ? 'it was rejected' : `it was rejected: ${answer.comment}`;
  return ended(plan, name, input, { edge: 'reject', code: 'rejected', message });
}

function ended(
  plan: CompiledPlan,
  name: string,
  result: JsonValue,
  { edge, code, message }: { edge: Edge; code: string; message: string },
): WaitEnd {
  const dependents = plan.dependents.get(name) as readonly string[];
  const wanted = dependents.some((step) => plan.steps.get(step)?.edges?.[name]?.includes(edge));
  if (wanted) return { state: 'completed', result, outcome: edge };
  return { state: 'error', error: { kind: 'business', code, message } };
}
