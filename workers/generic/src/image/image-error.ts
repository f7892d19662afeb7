import type { BlobRef } from '@connecta/contracts';
import { FunctionError } from '@connecta/worker-kit';

/** What libvips says when an image has more pixels than it may. */
const TOO_LARGE = /pixel limit|exceeds/i;
/** What a failing machine says, as opposed to a broken image. */
const MACHINE = /ENOSPC|EMFILE|ENOMEM|out of memory|no space left/i;

/** How an error of an image pipeline is reported. Errors that are a function's own already, or a stream's, stay. */
export function imageError(error: unknown, blob: BlobRef): unknown {
  if (!(error instanceof Error) || error instanceof FunctionError) return error;
  // Errors of streams and files carry a code or a name; libvips' are plain.
  if ('code' in error || error.name !== 'Error' || MACHINE.test(error.message)) return error;
  const code = TOO_LARGE.test(error.message) ? 'image_too_large' : 'invalid_image';
  const told = error.message.split('\n')[0] ?? 'unreadable';
  return new FunctionError('permanent', code, `blob ${blob.blobId} is not usable: ${told}`, { cause: error });
}
