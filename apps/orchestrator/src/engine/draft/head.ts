import type { JsonValue } from '@connecta/contracts';
import {
  NO_EXTENSION,
  headWork,
  type Extension,
  type ItemCounts,
  type PlannedForEach,
  type PlannedStep,
} from '@connecta/domain';
import type { HeadWrite, WaitingJob } from '@connecta/store';
import type { Ledger } from './ledger.ts';
import { endWaitingJob } from './moves.ts';

/** How far a head is. */
export interface HeadState {
  counts: ItemCounts;
  extension: Extension;
  /** The list, where it is new. */
  list?: JsonValue | undefined;
  /** What the head needs next, where its numbers alone do not tell. */
  work?: 'gather';
}

/** How far a head was when it was read. */
export function stateOf(head: WaitingJob): HeadState {
  const { itemsTotal, itemsCreated, itemsDone, itemsFailed, itemsExtension } = head;
  return {
    counts: { total: itemsTotal ?? 0, created: itemsCreated ?? 0, done: itemsDone ?? 0, failed: itemsFailed ?? 0 },
    extension: itemsExtension ?? NO_EXTENSION,
  };
}

/** Writes how far a head is, and what it needs next; a step whose items failed ends here. */
export function writeHead(ledger: Ledger, head: WaitingJob, { counts, extension, list, work: told }: HeadState): void {
  const { forEach } = ledger.plan.steps.get(head.step) as PlannedStep & { forEach: PlannedForEach };
  ledger.events.push({ type: 'items', step: head.step, jobId: head.id, ...counts });
  const isPending = head.state === 'pending';
  const work = isPending ? null : (told ?? headWork(counts, extension, forEach));
  const write: HeadWrite = {
    ...{ id: head.id, state: isPending ? 'pending' : 'waiting', ...counts },
    work: work === 'fail' ? null : work,
  };
  if (list !== undefined) write.input = list;
  if (extension !== NO_EXTENSION) write.extension = extension;
  ledger.openExtras().heads.push(write);
  if (work !== 'fail') return;
  const message = `${counts.failed} of ${counts.total} items failed: see their errors`;
  endWaitingJob(ledger, head, { state: 'error', error: { kind: 'permanent', code: 'item_failed', message } });
}
