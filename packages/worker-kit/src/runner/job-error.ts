import { Problem, type JobError } from '@connecta/contracts';
import { FunctionError } from '../function/function-error.ts';

const MAX_MESSAGE = 2_000;
const MAX_CODE = 100;

/** How a thrown error is reported: never with a stack, and only with texts that can be kept. */
export function toJobError(error: unknown): { error: JobError; retryAfterMs?: number } {
  if (error instanceof FunctionError) {
    const told = { kind: error.kind, code: error.code.slice(0, MAX_CODE) || 'function_error', message: text(error) };
    const { retryAfterMs } = error;
    if (error.kind !== 'retryable' || retryAfterMs === undefined) return { error: told };
    return { error: told, retryAfterMs: Math.min(86_400_000, Math.max(0, Math.round(retryAfterMs))) };
  }
  if (error instanceof Problem) {
    const kind = error.status >= 500 || error.status === 429 ? 'retryable' : 'permanent';
    return { error: { kind, code: error.code, message: text(error) } };
  }
  return { error: { kind: 'retryable', code: 'function_error', message: text(error) } };
}

function text(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll('\0', '').slice(0, MAX_MESSAGE).toWellFormed() || 'no message';
}
