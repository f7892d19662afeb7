import { parse, plan, type CelInput, type CelResult } from '@bufbuild/cel';
import { ENVIRONMENT } from './environment.ts';
import { analyse, type Analysis } from './syntax.ts';

/** The longest source of an expression. */
export const MAX_SOURCE = 2000;
const MAX_KEPT = 2000;

/** An expression that can be evaluated any number of times. */
export interface Expression extends Omit<Analysis, 'faults'> {
  source: string;
  run(bindings: { [name: string]: CelInput }): CelResult;
}

export type CompiledExpression = { ok: true; expression: Expression } | { ok: false; message: string };

/** Sources that were compiled before, good and bad; the oldest make room. A compilation takes some 180 µs. */
const kept = new Map<string, CompiledExpression>();

/** Compiles CEL, or says what is wrong with it. It knows nothing of which names there are: see `checkNames`. */
export function compileExpression(source: string): CompiledExpression {
  const before = kept.get(source);
  if (before) return before;
  const compiled = compileAnew(source);
  kept.set(source, compiled);
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value as string);
  return compiled;
}

function compileAnew(source: string): CompiledExpression {
  if (source.length > MAX_SOURCE) return { ok: false, message: `is longer than ${MAX_SOURCE} characters` };
  try {
    const parsed = parse(source);
    const { faults, ...analysis } = analyse(parsed.expr);
    if (faults.length > 0) return { ok: false, message: faults.join('; ') };
    return { ok: true, expression: { source, ...analysis, run: plan(ENVIRONMENT, parsed) } };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  if (error instanceof RangeError) return 'is nested too deeply';
  // `<input>:1:3: found + but expecting …`, with every token that could have followed: only the place helps.
  const [, line, column] = /^<input>:(\d+):(\d+): /.exec((error as Error).message) ?? [];
  if (line === undefined) return `is not CEL: ${(error as Error).message}`;
  return `is not CEL: it cannot be read on from ${line === '1' ? '' : `line ${line}, `}character ${column}`;
}
