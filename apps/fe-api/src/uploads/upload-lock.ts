import { Problem, newId, type BlobId } from '@connecta/contracts';
import { lockUpload, renewUploadLock, unlockUpload, type LockedUpload, type Store } from '@connecta/store';

/** What a lock lasts without being renewed: so long a process that died keeps its uploads from going on elsewhere. */
export const LOCK_MS = 8_000;
const RENEW_MS = 2_500;
/** A sender that is silent for longer does not keep the lock: its connection may be dead on the other side. */
const SILENCE_MS = 5_000;

/** Watches how long a source lets its reader wait. */
export class SilenceWatch {
  #waitingSinceMs: number | null = null;

  async *over(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const chunks = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        this.#waitingSinceMs = Date.now();
        const next = await chunks.next();
        this.#waitingSinceMs = null;
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      this.#waitingSinceMs = null;
      await chunks.return?.();
    }
  }

  get isSilent(): boolean {
    return this.#waitingSinceMs !== null && Date.now() - this.#waitingSinceMs > SILENCE_MS;
  }
}

/**
 * Does something with an upload that nobody else may do with it at the same time, on whatever replica. The lock is a
 * token in the row that lapses unless it is renewed; no connection is held, so slow uploads cost none, and every write
 * names the token, so a holder that lost it cannot do harm.
 *
 * @throws Problem conflict while another request holds the upload.
 */
export async function withUploadLock<T>(
  store: Store,
  id: BlobId,
  act: (upload: LockedUpload, silence: SilenceWatch) => Promise<T>,
): Promise<T> {
  const token = newId();
  const upload = await lockUpload(store, { id, token, leaseMs: LOCK_MS });
  if (!upload) {
    throw new Problem('conflict', 'Another request is writing to this upload; ask for its offset and try again.', {
      headers: { 'Retry-After': '2' },
    });
  }
  const silence = new SilenceWatch();
  const renewal = setInterval(() => {
    if (silence.isSilent) return;
    // A failure shows at the next write, which names the token too.
    renewUploadLock(store, { id, token, leaseMs: LOCK_MS }).catch(() => undefined);
  }, RENEW_MS);
  try {
    return await act(upload, silence);
  } finally {
    clearInterval(renewal);
    await unlockUpload(store, { id, token }).catch(() => undefined);
  }
}
