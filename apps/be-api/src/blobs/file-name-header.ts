import { Problem } from '@connecta/contracts';

/** Reads `Connecta-File-Name`: percent-encoded UTF-8, since headers carry ASCII only. @throws Problem bad_request */
export function fileNameHeader(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  try {
    return decodeURIComponent(header);
  } catch (cause) {
    throw new Problem('bad_request', 'Connecta-File-Name is not percent-encoded UTF-8.', {
      cause,
      faults: [{ path: 'header:connecta-file-name', message: 'must be percent-encoded UTF-8' }],
    });
  }
}
