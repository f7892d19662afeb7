import type { Timers } from '@connecta/domain';
import {
  findDueBackoffs,
  findLostRuns,
  findOfflineAttempts,
  findOverdueClaims,
  findOverdueCompletions,
  findOverdueStarts,
  type OverdueAttempt,
  type OverdueClaim,
  type Store,
} from '@connecta/store';
import type { FoundAttempt } from '../engine/move-attempts.ts';

/** The most attempts of one kind that one tick moves on; the rest follows with the next. */
const LIMIT = 500;

/**
 * Everything that a timer has to say now. Only reads: the decision is made again under the orders' locks. Of a run that
 * is both lost and overdue the loss comes first: it says nothing against the work. With `silenceProves` false, nothing is
 * concluded from workers that have not been heard of.
 */
export async function findExpired(store: Store, timers: Timers, silenceProves: boolean): Promise<FoundAttempt[]> {
  const [due, starts, completions, lost, offline, claims] = await Promise.all([
    findDueBackoffs(store, LIMIT),
    findOverdueStarts(store, LIMIT),
    findOverdueCompletions(store, LIMIT),
    silenceProves ? findLostRuns(store, timers.holdMs, LIMIT) : [],
    silenceProves ? findOfflineAttempts(store, LIMIT) : [],
    silenceProves ? findOverdueClaims(store, timers.holdMs, LIMIT) : [],
  ]);
  const tell = (attempts: readonly OverdueAttempt[], finding: FoundAttempt['finding']): FoundAttempt[] =>
    attempts.map(({ jobId, orderId, attempt }) => ({ jobId, orderId, attempt, finding }));
  return [
    ...tell(due, { kind: 'due' }),
    ...tell(starts, {
      kind: 'timeout',
      code: 'start_timeout',
      message: 'not started in time, although its type had a free slot for so long',
    }),
    ...lost.flatMap(({ crashed, ...attempt }) =>
      tell([attempt], { kind: 'lost', message: `no live instance has listed it for ${timers.holdMs} ms`, crashed }),
    ),
    ...claims.map((claim) => toFound(claim, timers.holdMs)),
    ...tell(completions, { kind: 'timeout', code: 'complete_timeout', message: 'not completed in time' }),
    // Offline for good: trying again would only wait again.
    ...offline.map(({ jobId, orderId, attempt, workerType }): FoundAttempt => {
      const message = `no live worker of type '${workerType}' took it within its offline limit`;
      return {
        jobId,
        orderId,
        attempt,
        finding: { kind: 'failed', error: { kind: 'permanent', code: 'ack_timeout', message } },
      };
    }),
  ];
}

/** What is wrong with a claim over HTTP; none of it counts as a failed run. */
function toFound({ jobId, orderId, attempt, fault, crashed }: OverdueClaim, holdMs: number): FoundAttempt {
  const findings = {
    unacked: { kind: 'timeout', code: 'ack_timeout', message: 'claimed and not acknowledged in time' },
    unstarted: { kind: 'timeout', code: 'start_timeout', message: 'acknowledged and not started in time' },
    unheld: { kind: 'lost', message: `the worker that had claimed it has not listed it for ${holdMs} ms`, crashed },
    left: { kind: 'lost', message: 'the worker that had claimed it left or registered anew', crashed },
  } as const;
  return { jobId, orderId, attempt, finding: findings[fault] };
}
