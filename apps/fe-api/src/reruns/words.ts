import type { FeApiOperations } from '@connecta/contracts';
import type { RerunReason } from '@connecta/domain';
import type { OperationAnswer } from '@connecta/runtime';

export type DifferenceView = NonNullable<OperationAnswer<FeApiOperations['explainCache'], 200>['difference']>;

const WORDS: Record<Exclude<RerunReason['what'], 'upstream'>, string> = {
  task: 'it runs another function',
  profile: 'the profile has another revision',
  version: 'the function has another version',
  params: 'its params are others',
  input: 'its input has other bytes',
  context: 'its context has other bytes',
  forced: 'it was asked for, or stands behind a step that was',
  not_completed: 'no job of it completed in the first order',
  blobs_gone: 'a blob of its result can no longer be read',
  no_fingerprint: 'nothing proves that it would give the same',
  condition: 'its expressions show only when it runs what they give',
};

/** A reason as people read it. */
export function differenceView(reason: RerunReason): DifferenceView {
  if (reason.what === 'upstream') {
    const steps = reason.steps.map((step) => `'${step}'`).join(', ');
    return { what: 'upstream', steps: [...reason.steps], message: `it depends on what ${steps} gives` };
  }
  const message = WORDS[reason.what];
  if (!('from' in reason)) return { what: reason.what, message };
  const { what, from, to } = reason;
  return what === 'profile' ? profileView(from ?? '', to ?? '', message) : { what, from, to, message };
}

/** Of one profile the revisions alone are told. */
function profileView(from: string, to: string, message: string): DifferenceView {
  const [[fromId, fromRevision], [toId, toRevision]] = [from.split('@'), to.split('@')];
  if (fromId !== toId) return { what: 'profile', from, to, message: 'it uses another profile' };
  return { what: 'profile', from: fromRevision ?? null, to: toRevision ?? null, message };
}
