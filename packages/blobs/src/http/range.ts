import { Problem } from '@connecta/contracts';
import type { ByteRange } from '../blobs.ts';

/**
 * Reads a `Range` header (RFC 9110 §14) for a body of `size` bytes. Null: the whole body, also for what the RFC lets a
 * server ignore: another unit, several ranges, a malformed header.
 *
 * @throws Problem range_not_satisfiable
 */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end) {
    throw new Problem('range_not_satisfiable', `The blob has ${size} bytes.`, {
      headers: { 'Content-Range': `bytes */${size}` },
    });
  }
  return { start, length: end - start + 1 };
}
