import { Problem } from '@connecta/contracts';

/** No blob has this id. */
export class BlobNotFoundError extends Error {
  override readonly name = 'BlobNotFoundError';
  readonly blobId: string;

  constructor(blobId: string, options?: ErrorOptions) {
    super(`blob ${blobId} has no bytes`, options);
    this.blobId = blobId;
  }
}

/** Other bytes are stored under this id; a blob never changes. */
export class BlobExistsError extends Error {
  override readonly name = 'BlobExistsError';
  readonly blobId: string;

  constructor(blobId: string, options?: ErrorOptions) {
    super(`blob ${blobId} exists with other bytes`, options);
    this.blobId = blobId;
  }
}

/** The source went on past the bytes that were allowed. */
export class BlobTooLargeError extends Error {
  override readonly name = 'BlobTooLargeError';
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
    this.maxBytes = maxBytes;
  }
}

/** The bytes are not those that were announced (on the way in) or stored (on the way out). */
export class BytesMismatchError extends Error {
  override readonly name = 'BytesMismatchError';
  readonly what: 'size' | 'sha256';
  readonly expected: string;
  readonly actual: string;

  constructor(what: 'size' | 'sha256', expected: string | number, actual: string | number) {
    super(`${what} is ${actual} instead of ${expected}`);
    this.what = what;
    this.expected = String(expected);
    this.actual = String(actual);
  }
}

/** Storage no longer has a block that was staged (it forgets them after a week): the upload begins again. */
export class StagedBlocksLostError extends Error {
  override readonly name = 'StagedBlocksLostError';
  readonly blobId: string;

  constructor(blobId: string, options?: ErrorOptions) {
    super(`staged blocks of ${blobId} are gone`, options);
    this.blobId = blobId;
  }
}

/** Storage did not answer, or refused, after the retries: the caller may try again later. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
}

/** The problem that a gateway answers for an error of this package while bytes come in; any other error is null. */
export function uploadProblem(error: unknown): Problem | null {
  if (error instanceof BlobTooLargeError) {
    return new Problem('too_large', `A blob may have at most ${error.maxBytes} bytes.`, { cause: error });
  }
  if (error instanceof BytesMismatchError && error.what === 'size') {
    const detail = `The body has ${error.actual} bytes where ${error.expected} were announced; nothing was stored.`;
    return new Problem('bad_request', detail, { cause: error });
  }
  if (error instanceof BytesMismatchError) {
    const detail = `The SHA-256 of the bytes is ${error.actual}, announced was ${error.expected}; nothing was stored.`;
    return new Problem('checksum_mismatch', detail, { cause: error });
  }
  if (error instanceof BlobExistsError) {
    return new Problem('conflict', 'Other bytes are stored under this id.', { cause: error });
  }
  if (error instanceof StagedBlocksLostError) {
    return new Problem('gone', 'The upload was given up; begin a new one.', { cause: error });
  }
  return error instanceof StorageUnavailableError ? unavailable(error) : null;
}

/** The problem that a gateway answers for an error of this package while bytes go out; any other error is null. */
export function downloadProblem(error: unknown): Problem | null {
  if (error instanceof BlobNotFoundError || error instanceof BytesMismatchError) {
    return new Problem('gone', 'The bytes of this blob are lost or damaged.', { cause: error });
  }
  return error instanceof StorageUnavailableError ? unavailable(error) : null;
}

function unavailable(cause: StorageUnavailableError): Problem {
  return new Problem('unavailable', 'Blob storage does not answer.', { cause, headers: { 'Retry-After': '5' } });
}
