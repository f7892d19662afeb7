import type { Cel, JobError, JsonValue, Template } from '@connecta/contracts';
import { isCelError } from '@bufbuild/cel';
import { compileExpression, type Expression } from './compile.ts';
import type { Scope } from './scope.ts';
import type { Reference } from './syntax.ts';
import { fromCel } from './values.ts';

/** What one evaluation may cost, in steps of the evaluator at most. */
const MAX_COST = 1_000_000;
const MAX_SHOWN = 200;
const MAX_MESSAGE = 1000;

/** What an expression came to: a value, or the error that its job ends with. An error is never taken for a value. */
export type Evaluated<Value = JsonValue> = { ok: true; value: Value } | { ok: false; error: JobError };

/** Where an expression stands, for its errors: `steps.review.if`. */
export interface Evaluation {
  scope: Scope;
  place: string;
}

/** Evaluates CEL. */
export function evaluate(source: Cel, { scope, place }: Evaluation): Evaluated {
  const compiled = compileExpression(source);
  if (!compiled.ok) return failed('expression_failed', `${place} ${compiled.message}`);
  const { expression } = compiled;
  const { bindings, weight } = scope.bindingsFor(expression);
  if (costOf(expression, weight) > MAX_COST) {
    return failed('expression_too_costly', `${place} looks at too much at once: ${shown(source)}`);
  }
  try {
    const result = expression.run(bindings);
    if (isCelError(result)) return failed('expression_failed', `${place}: ${result.message}, in ${shown(source)}`);
    return { ok: true, value: fromCel(result) };
  } catch (error) {
    return failed('expression_failed', `${place}: ${(error as Error).message}, in ${shown(source)}`);
  }
}

/** Evaluates a condition: anything but true or false is an error. */
export function evaluateCondition(source: Cel, evaluation: Evaluation): Evaluated<boolean> {
  const result = evaluate(source, evaluation);
  if (!result.ok) return result;
  const { value } = result;
  if (typeof value === 'boolean') return { ok: true, value };
  return failed('expression_failed', `${evaluation.place} is neither true nor false, in ${shown(source)}`);
}

/** Evaluates what must be a list. */
export function evaluateList(source: Cel, evaluation: Evaluation): Evaluated<JsonValue[]> {
  const result = evaluate(source, evaluation);
  if (!result.ok) return result;
  const { value } = result;
  if (Array.isArray(value)) return { ok: true, value };
  return failed('expression_failed', `${evaluation.place} is no list, in ${shown(source)}`);
}

/** Evaluates every text leaf of a template; the first error is the whole template's. */
export function evaluateTemplate(template: Template, { scope, place }: Evaluation): Evaluated {
  if (typeof template === 'string') return evaluate(template, { scope, place });
  if (typeof template !== 'object' || template === null) return { ok: true, value: template };
  const members: [string, JsonValue][] = [];
  for (const [name, inner] of Object.entries(template)) {
    const result = evaluateTemplate(inner, { scope, place: `${place}.${name}` });
    if (!result.ok) return result;
    members.push([name, result.value]);
  }
  const value = Array.isArray(template) ? members.map(([, item]) => item) : Object.fromEntries(members);
  return { ok: true, value };
}

/** The names that expressions look at; a source that does not compile looks at nothing. */
export function referencesIn(template: Template): readonly Reference[] {
  return expressionsIn(template).flatMap(({ source }) => {
    const compiled = compileExpression(source);
    return compiled.ok ? compiled.expression.references : [];
  });
}

/** Every text leaf of a template with the members that lead to it. */
export function expressionsIn(template: Template, path: readonly string[] = []): { path: string[]; source: Cel }[] {
  if (typeof template === 'string') return [{ path: [...path], source: template }];
  if (typeof template !== 'object' || template === null) return [];
  return Object.entries(template).flatMap(([name, inner]) => expressionsIn(inner, [...path, name]));
}

/** Before anything is evaluated: a macro looks at each node of its values once for each level. */
function costOf({ size, depth }: Expression, weight: number): number {
  return (weight + size) ** depth * size;
}

function shown(source: Cel): string {
  return `\`${source.length > MAX_SHOWN ? `${source.slice(0, MAX_SHOWN)}…` : source}\``;
}

function failed(code: 'expression_failed' | 'expression_too_costly', message: string): { ok: false; error: JobError } {
  // What is cut, or quoted from values, must still be a text that can be stored.
  const text = message.slice(0, MAX_MESSAGE).toWellFormed().replaceAll('\0', '\uFFFD');
  return { ok: false, error: { kind: 'permanent', code, message: text } };
}
