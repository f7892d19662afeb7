import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBatch, EventReader } from '@connecta/queue';
import type { Logger } from '@connecta/runtime';
import type { EngineParts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';
import { applyKnown } from './apply-known.ts';
import { applyReports } from './apply-reports.ts';
import { readReport, type Report } from './read-report.ts';

export interface AdvanceOptions {
  parts: EngineParts;
  reader: EventReader;
  leaseKey: KeyObject;
  log: Logger;
  /** Sends what a committed batch leaves to do. Never rejects. */
  follow: (outcome: Outcome) => Promise<void>;
  /** Told of reports that changed nothing. */
  onLate: (reason: string) => void;
  /** Told whenever no report waits any more. */
  onRead: () => void;
}

const MAX_REPORTS = 1000;
const BLOCK_MS = 2000;
/** How long reports wait for a database that does not take them; doubled up to the maximum. */
const AGAIN_MS = { first: 20, most: 1000 };
/** How much of a body that is no report is logged. */
const SHOWN_CHARS = 500;

/**
 * One turn of the engine's heart: everything that waits on the event streams, in one transaction; then the commands,
 * then the acknowledgement. Commands and acknowledgement of one turn travel while the next turn reads.
 */
export class AdvanceStage {
  readonly #options: AdvanceOptions;
  readonly #stopping = new AbortController();
  #following: Promise<void> = Promise.resolve();

  constructor(options: AdvanceOptions) {
    this.#options = options;
  }

  async tick(): Promise<boolean> {
    const { reader, onRead } = this.#options;
    const batch = await reader.read({ max: MAX_REPORTS, blockMs: BLOCK_MS });
    if (batch.events.length > 0) {
      await this.#persist(this.#reportsOf(batch));
      void batch.ack();
    }
    if (batch.whole) onRead();
    return true;
  }

  /** Gives up what cannot be applied now: it is not acknowledged, so another reader gets it. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Resolves when what the last turn left to do is done. */
  drain(): Promise<void> {
    return this.#following;
  }

  #reportsOf(batch: EventBatch): Report[] {
    const { leaseKey, log } = this.#options;
    const reports: Report[] = [];
    for (const { workerType, body } of batch.events) {
      const read = readReport(leaseKey, workerType, body);
      if (read.ok) reports.push(read.report);
      else log.warn({ workerType, reason: read.reason, body: shown(body) }, 'not a report; it is dropped');
    }
    return reports;
  }

  /**
   * Applies reports however long the database is away: here they are at hand, while a reader gets them again only when
   * they have been unacknowledged for long. Applying a report twice changes nothing, so a commit whose answer got lost is
   * no different from one that failed.
   */
  async #persist(reports: readonly Report[]): Promise<void> {
    for (let waitMs = AGAIN_MS.first; ; waitMs = Math.min(waitMs * 2, AGAIN_MS.most)) {
      try {
        await this.#apply(reports);
        return;
      } catch (error) {
        if (this.#stopping.signal.aborted) throw error;
        this.#options.log.warn({ err: error, reports: reports.length }, 'reports are not applied yet; they wait here');
        await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
      }
    }
  }

  /**
   * Applies reports; where the database refuses the batch for its content, it is halved until the one at fault stands
   * alone. That one is logged and left to the timers: the rest must not wait for it.
   */
  async #apply(reports: readonly Report[]): Promise<void> {
    const { parts, onLate, log } = this.#options;
    if (reports.length === 0) return;
    try {
      const known = await applyKnown(parts, reports);
      if (known) {
        await this.#follow(known);
        return;
      }
      const { late, ...outcome } = await applyReports({ parts, reports, random: Math.random });
      for (const { reason, jobId, attempt, instance } of late) {
        onLate(reason);
        log.info({ jobId, attempt, instance, reason }, 'a report changed nothing; it is kept aside');
      }
      await this.#follow(outcome);
    } catch (error) {
      if (!isContentFault(error)) throw error;
      if (reports.length === 1) {
        log.error({ err: error, report: reports[0]?.event }, 'a report cannot be stored; it is dropped');
        return;
      }
      const half = reports.length >> 1;
      await this.#apply(reports.slice(0, half));
      await this.#apply(reports.slice(half));
    }
  }

  /** One turn's commands at a time, so that a queue that does not answer slows the turns down. */
  async #follow(outcome: Outcome): Promise<void> {
    await this.#following;
    this.#following = this.#options.follow(outcome);
  }
}

/** SQLSTATE classes 22 (data exception), 23 (integrity) and 54 (limits): the batch's content is at fault. */
function isContentFault(error: unknown): boolean {
  return /^(22|23|54)...$/.test((error as { code?: string }).code ?? '');
}

/** A stranger's text for the log. */
function shown(body: unknown): string {
  try {
    return (JSON.stringify(body) ?? '').slice(0, SHOWN_CHARS);
  } catch {
    return 'nested too deeply to be shown';
  }
}
