import type { KeyObject } from 'node:crypto';
import type { EventReader } from '@connecta/queue';
import type { Logger } from '@connecta/runtime';
import type { Store } from '@connecta/store';
import type { Outcome } from '../engine/drafts.ts';
import type { PlanCache } from '../engine/planCache.ts';
import { applyReports } from './applyReports.ts';
import { readReport, type Report } from './readReport.ts';

export interface AdvanceOptions {
  store: Store;
  plans: PlanCache;
  reader: EventReader;
  leaseKey: KeyObject;
  log: Logger;
  /** Sends what a committed batch leaves to do. */
  follow: (outcome: Outcome) => Promise<void>;
  /** Told of reports that changed nothing. */
  onLate: (reason: string) => void;
}

const MAX_REPORTS = 1000;
const BLOCK_MS = 2000;

/**
 * One turn of the engine's heart: everything that waits on the event streams, in one transaction; then the commands,
 * then the acknowledgement. Commands and acknowledgement of one turn travel while the next turn reads.
 */
export class AdvanceStage {
  readonly #options: AdvanceOptions;
  #following: Promise<void> = Promise.resolve();

  constructor(options: AdvanceOptions) {
    this.#options = options;
  }

  async tick(): Promise<boolean> {
    const { reader, leaseKey, log, follow } = this.#options;
    const batch = await reader.read({ max: MAX_REPORTS, blockMs: BLOCK_MS });
    if (batch.events.length === 0) return true;
    const reports: Report[] = [];
    for (const { workerType, body } of batch.events) {
      const read = readReport(leaseKey, workerType, body);
      if (read.ok) reports.push(read.report);
      else log.warn({ workerType, reason: read.reason, body }, 'not a report; it is dropped');
    }
    const outcome = await this.#apply(reports);
    await this.#following;
    this.#following = follow(outcome);
    void batch.ack();
    return true;
  }

  /** Resolves when what the last turn left to do is done. */
  drain(): Promise<void> {
    return this.#following;
  }

  /**
   * Applies reports; where the database refuses the batch for its content, it is halved until the one at fault stands
   * alone. That one is logged and left to the timers: the rest must not wait for it.
   */
  async #apply(reports: readonly Report[]): Promise<Outcome> {
    const { store, plans, onLate, log } = this.#options;
    try {
      const { late, ...outcome } = await applyReports({ store, plans, reports, random: Math.random });
      for (const { reason, jobId, attempt, instance } of late) {
        onLate(reason);
        log.info({ jobId, attempt, instance, reason }, 'a report changed nothing; it is kept aside');
      }
      return outcome;
    } catch (error) {
      if (isDeadlock(error)) return this.#apply(reports);
      if (!isContentFault(error)) throw error;
      if (reports.length === 1) {
        log.error({ err: error, report: reports[0]?.event }, 'a report cannot be stored; it is dropped');
        return { commands: [], changedOrders: [] };
      }
      const half = reports.length >> 1;
      const first = await this.#apply(reports.slice(0, half));
      const second = await this.#apply(reports.slice(half));
      return {
        commands: [...first.commands, ...second.commands],
        changedOrders: [...first.changedOrders, ...second.changedOrders],
      };
    }
  }
}

const codeOf = (error: unknown): string => String((error as { code?: unknown }).code ?? '');

/** SQLSTATE classes 22 (data exception), 23 (integrity) and 54 (limits): the batch's content is at fault. */
function isContentFault(error: unknown): boolean {
  return /^(22|23|54)...$/.test(codeOf(error));
}

function isDeadlock(error: unknown): boolean {
  return codeOf(error) === '40P01' || codeOf(error) === '40001';
}
