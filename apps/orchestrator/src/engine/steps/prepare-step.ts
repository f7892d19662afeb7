import { INLINE_VALUE_BYTES, isStorable, jsonBytes, type JobError, type JsonValue } from '@connecta/contracts';
import {
  evaluate,
  evaluateCondition,
  evaluateTemplate,
  type Evaluated,
  type PlannedStep,
  type Scope,
} from '@connecta/domain';

/** What a job begins with. */
export interface Beginning {
  is: 'begin';
  input: JsonValue;
  /** Of a wait: when it is over, so long from now or at a time (ISO 8601). */
  dueInMs?: number;
  dueAt?: string;
  /** Of an order of its own. */
  params?: { [name: string]: JsonValue };
}

/** How a step (or one item of it) begins: not at all, with an error, or with an input. */
export type Prepared = { is: 'skip' } | { is: 'error'; error: JobError } | Beginning;

export interface PrepareOptions {
  name: string;
  step: PlannedStep;
  scope: Scope;
  /** The input without `with`. */
  defaultInput: () => JsonValue;
}

/** Evaluates what a step says about its beginning. Its input may be too large to travel inline: see `isTooLarge`. */
export function prepareStep({ name, step, scope, defaultInput }: PrepareOptions): Prepared {
  const place = (member: string): { scope: Scope; place: string } => ({ scope, place: `steps.${name}.${member}` });
  if (step.if !== undefined) {
    const condition = evaluateCondition(step.if, place('if'));
    if (!condition.ok) return { is: 'error', error: condition.error };
    if (!condition.value) return { is: 'skip' };
  }
  const input: Evaluated =
    step.with === undefined ? { ok: true, value: defaultInput() } : evaluateTemplate(step.with, place('with'));
  if (!input.ok) return { is: 'error', error: input.error };
  if (step.with !== undefined && !isStorable(input.value)) {
    return failed(`steps.${name}.with: a text in it holds NUL or half a character`);
  }
  const begin: Beginning = { is: 'begin', input: input.value };
  if (step.kind === 'wait') return withDue(begin, step.wait, (source) => evaluate(source, place('wait.until')), name);
  if (step.kind !== 'order' || !step.params) return begin;
  const params = evaluateTemplate(step.params, place('params'));
  if (!params.ok) return { is: 'error', error: params.error };
  if (jsonBytes(params.value) > INLINE_VALUE_BYTES) {
    return failed(`steps.${name}.params are more than ${INLINE_VALUE_BYTES} bytes`);
  }
  return { ...begin, params: params.value as { [name: string]: JsonValue } };
}

/** True for an input that must be kept as a blob. */
export function isTooLarge(value: JsonValue): boolean {
  return typeof value === 'object' || typeof value === 'string' ? jsonBytes(value) > INLINE_VALUE_BYTES : false;
}

function withDue(
  begin: Beginning,
  wait: Extract<PlannedStep, { kind: 'wait' }>['wait'],
  evaluateUntil: (source: string) => Evaluated,
  name: string,
): Prepared {
  if (wait.for !== 'time') return wait.timeoutMs === undefined ? begin : { ...begin, dueInMs: wait.timeoutMs };
  if (wait.until === undefined) return { ...begin, dueInMs: wait.afterMs ?? 0 };
  const until = evaluateUntil(wait.until);
  if (!until.ok) return { is: 'error', error: until.error };
  const at = typeof until.value === 'string' && RFC_3339.test(until.value) ? new Date(until.value) : null;
  if (!at || Number.isNaN(at.getTime())) return failed(`steps.${name}.wait.until is no RFC 3339 time`);
  return { ...begin, dueAt: at.toISOString() };
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;

function failed(message: string): Prepared {
  return { is: 'error', error: { kind: 'permanent', code: 'expression_failed', message } };
}
