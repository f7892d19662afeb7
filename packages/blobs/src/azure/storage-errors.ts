import { RestError } from '@azure/storage-blob';
import { StorageUnavailableError } from '../errors.ts';

/** True for an answer of storage with this HTTP status (and, where given, one of these codes of its own). */
export function isAnswer(error: unknown, status: number, ...codes: string[]): boolean {
  if (!(error instanceof RestError) || error.statusCode !== status) return false;
  return codes.length === 0 || codes.includes(error.code ?? '');
}

/**
 * The package's own error for one of the SDK's. By the time one arrives here the SDK has tried four times: what is
 * left, and is no answer that the caller asked for, is a storage that cannot be used at the moment.
 */
export function named(error: unknown, what: string): unknown {
  if (error instanceof RestError) {
    const reason = error.code ?? error.statusCode ?? 'no answer';
    return new StorageUnavailableError(`${what}: ${reason}`, { cause: error });
  }
  // AbortSignal.timeout of our own: storage took the request and never answered.
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')) {
    return new StorageUnavailableError(`${what}: no answer in time`, { cause: error });
  }
  return error;
}
