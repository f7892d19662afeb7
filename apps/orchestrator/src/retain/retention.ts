import type { Blobs } from '@connecta/blobs';
import type { Logger } from '@connecta/runtime';
import {
  deleteExpiredBlobs,
  deleteOrphanBytes,
  deleteUnsettledBlobs,
  forgetFinishedUploads,
  forgetOldLogs,
  type Store,
} from '@connecta/store';

/** The most blobs that one statement takes. */
const LIMIT = 200;
/** A blob whose upload did not end within a day, and bytes that no row knows for so long, are left-overs of a crash. */
const ABANDONED_MS = 24 * 3_600_000;
/** How long what functions logged is kept. */
const LOG_DAYS = 30;
/** Names of stored bytes looked at in one turn: a whole container is walked through in the course of days. */
const ORPHAN_LIMIT = 1000;

export interface RetentionOptions {
  store: Store;
  /** Opened when first needed: the engine runs on while Blob Storage is away. */
  openBlobs: () => Promise<Blobs>;
  log: Logger;
}

/** Ends what nobody keeps any longer: expired blobs, abandoned uploads, bytes without a row, old logs. Any replica may do it. */
export class Retention {
  readonly #options: RetentionOptions;
  #blobs: Promise<Blobs> | undefined;
  #orphansFrom: string | undefined;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** One turn; true when a limit was reached: there is more to do. */
  async tick(): Promise<boolean> {
    const { store, log } = this.#options;
    const blobs = await this.#open();
    const expired = await deleteExpiredBlobs(store, blobs, LIMIT);
    const abandoned = await deleteUnsettledBlobs(store, blobs, { limit: LIMIT, olderThanMs: ABANDONED_MS });
    const logs = await forgetOldLogs(store, { days: LOG_DAYS, limit: LIMIT });
    const uploads = await forgetFinishedUploads(store, LIMIT);
    const page = { from: this.#orphansFrom, limit: ORPHAN_LIMIT, olderThanMs: ABANDONED_MS };
    const { deleted: orphans, next } = await deleteOrphanBytes(store, blobs, page);
    this.#orphansFrom = next;
    if (expired + abandoned + orphans > 0) log.info({ expired, abandoned, orphans }, 'blobs were deleted');
    return expired >= LIMIT || abandoned >= LIMIT || uploads >= LIMIT || logs >= LIMIT;
  }

  #open(): Promise<Blobs> {
    this.#blobs ??= this.#options.openBlobs().catch((error: unknown) => {
      this.#blobs = undefined;
      throw error;
    });
    return this.#blobs;
  }
}
