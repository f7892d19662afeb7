import type { IncomingMessage } from 'node:http';
import { Problem } from '@connecta/contracts';

/** True when the request announces a body. */
export function hasBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length'];
  return req.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/**
 * Reads a whole body of at most `limitBytes`.
 *
 * @throws Problem too_large, unsupported_media_type (a content encoding or charset), or bad_request (cut off).
 */
export async function readBody(req: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const encoding = req.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('unsupported_media_type', `The content encoding ${encoding} is not supported`);
  }
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(req.headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) {
    throw new Problem('unsupported_media_type', 'JSON is UTF-8');
  }
  const tooLarge = (): Problem =>
    new Problem('too_large', `The body may have ${limitBytes} bytes at most`, { headers: { connection: 'close' } });
  if (Number(req.headers['content-length'] ?? 0) > limitBytes) throw tooLarge();
  return new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (act: () => void): void => {
      req.off('data', onData).off('end', onEnd).off('error', onCut).off('close', onCut);
      act();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limitBytes) {
        req.pause();
        settle(() => reject(tooLarge()));
      } else chunks.push(chunk);
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const onCut = (): void => settle(() => reject(new Problem('bad_request', 'The body was cut off')));
    req.on('data', onData).on('end', onEnd).on('error', onCut).on('close', onCut);
  });
}
