import type { ErrorKind } from '@connecta/contracts';

/** What a failing function may say beyond kind, code and message. */
export interface FunctionErrorOptions {
  /** The earliest time for the next attempt, in milliseconds from now; only for `retryable`. */
  retryAfterMs?: number;
  cause?: unknown;
}

/**
 * Thrown by a function to say how its failure is to be taken: `retryable` (try again), `permanent` (this work cannot
 * succeed), `business` (an expected refusal). Any other thrown error counts as `retryable`, code `function_error`.
 */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly kind: ErrorKind;
  /** Stable, for programs: `image_too_large`. */
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(kind: ErrorKind, code: string, message: string, options: FunctionErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
