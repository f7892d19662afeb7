import type { Blobs } from '@connecta/blobs';
import type { Logger } from '@connecta/runtime';
import {
  deleteExpiredBlobs,
  deleteOrphanBytes,
  deleteUnsettledBlobs,
  forgetFinishedUploads,
  forgetOldInstances,
  forgetOldLateReports,
  forgetOldLogs,
  forgetOldTicks,
  type Store,
} from '@connecta/store';

/** The most blobs that one statement takes. */
const LIMIT = 200;
/** A blob whose upload did not end within a day, and bytes that no row knows for so long, are left-overs of a crash. */
const ABANDONED_MS = 24 * 3_600_000;
/** How long records are kept that people look at, and nothing else. */
const DAYS = { logs: 30, lateReports: 30, instances: 7, ticks: 90 } as const;
/** Names of stored bytes looked at in one turn: a whole container is walked through in the course of days. */
const ORPHAN_LIMIT = 1000;

export interface RetentionOptions {
  store: Store;
  /** Opened when first needed: the engine runs on while Blob Storage is away. */
  openBlobs: () => Promise<Blobs>;
  log: Logger;
}

/** Ends what nobody keeps any longer: expired blobs, abandoned uploads, bytes without a row, old records. Any replica may do it. */
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
    const uploads = await forgetFinishedUploads(store, LIMIT);
    const isMore = await this.#forgetRecords();
    const page = { from: this.#orphansFrom, limit: ORPHAN_LIMIT, olderThanMs: ABANDONED_MS };
    const { deleted: orphans, next } = await deleteOrphanBytes(store, blobs, page);
    this.#orphansFrom = next;
    if (expired + abandoned + orphans > 0) log.info({ expired, abandoned, orphans }, 'blobs were deleted');
    return expired >= LIMIT || abandoned >= LIMIT || uploads >= LIMIT || isMore;
  }

  /** True when a limit was reached. */
  async #forgetRecords(): Promise<boolean> {
    const { store } = this.#options;
    const counts = [
      await forgetOldLogs(store, { days: DAYS.logs, limit: LIMIT }),
      await forgetOldLateReports(store, { days: DAYS.lateReports, limit: LIMIT }),
      await forgetOldInstances(store, { days: DAYS.instances, limit: LIMIT }),
      await forgetOldTicks(store, { days: DAYS.ticks, limit: LIMIT }),
    ];
    return counts.some((count) => count >= LIMIT);
  }

  #open(): Promise<Blobs> {
    this.#blobs ??= this.#options.openBlobs().catch((error: unknown) => {
      this.#blobs = undefined;
      throw error;
    });
    return this.#blobs;
  }
}
