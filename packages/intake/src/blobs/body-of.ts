import type { IncomingMessage } from 'node:http';
import { Problem } from '@connecta/contracts';

/**
 * The bytes of a request's body. Unlike iterating the request itself this leaves its connection open when the reader
 * gives up, so that the sender can be told why.
 *
 * @throws Problem bad_request when the sender breaks off, unsupported_media_type for a content encoding.
 */
export async function* bodyOf(req: IncomingMessage): AsyncGenerator<Buffer> {
  const encoding = req.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new Problem('unsupported_media_type', `Send the bytes themselves, not as ${encoding}.`);
  }
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } catch (cause) {
    throw new Problem('bad_request', 'The body broke off before its end; nothing was stored.', { cause });
  }
  // A request that was read to its end is complete; one that was destroyed before anybody read it just ends.
  if (!req.complete) throw new Problem('bad_request', 'The body broke off before its end; nothing was stored.');
}

/** The length that a request announces; undefined when it is sent in chunks. */
export function announcedBytes(req: IncomingMessage): number | undefined {
  const header = req.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/** Reads off what is left of a body that nobody wants: otherwise the connection stays stuck behind the answer. */
export function dropBody(req: IncomingMessage): void {
  if (!req.complete && !req.destroyed) req.resume();
}
