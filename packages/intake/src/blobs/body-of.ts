import type { IncomingMessage } from 'node:http';
import { Problem } from '@connecta/contracts';

/** A sender that is silent for longer is gone, whatever its connection says. */
const SILENCE_MS = 60_000;

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
  let waiting = true;
  const silence = setTimeout(() => {
    if (waiting) req.destroy(new Error('the sender is silent'));
  }, SILENCE_MS);
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      // What the reader does with a chunk takes its own time.
      waiting = false;
      yield chunk as Buffer;
      waiting = true;
      silence.refresh();
    }
  } catch (cause) {
    throw brokeOff(cause);
  } finally {
    clearTimeout(silence);
  }
  // A request that was destroyed before anybody read it just ends.
  if (!req.complete) throw brokeOff();
}

function brokeOff(cause?: unknown): Problem {
  return new Problem('bad_request', 'The body broke off before its end.', { cause });
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
