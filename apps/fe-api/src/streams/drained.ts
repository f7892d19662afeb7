import { once } from 'node:events';
import type { Response } from 'express';

/** Resolves when the reader of a stream has caught up, or has left. */
export async function drained(res: Response): Promise<void> {
  if (res.destroyed) return;
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })]);
  done.abort();
}
