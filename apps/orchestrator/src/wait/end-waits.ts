import type { JobId, OrderId } from '@connecta/contracts';
import { endWait, type WaitEnd } from '@connecta/domain';
import {
  findChildren,
  inBatch,
  lockOrders,
  lockWaitingJobs,
  type ChildEnd,
  type FoundWait,
  type WaitingJob,
} from '@connecta/store';
import type { Draft } from '../engine/draft/draft.ts';
import { Drafts, type EngineParts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';

/**
 * Ends jobs that waited: for an answer that is there, for a time that has come, for an order that has ended. What changed
 * since it was found, or was no end, is left alone.
 */
export async function endWaits(parts: EngineParts, found: readonly FoundWait[]): Promise<Outcome> {
  if (found.length === 0) return { commands: [], changedOrders: [] };
  const jobIds = [...new Set(found.map(({ jobId }) => jobId))];
  return inBatch(parts.store, async (batch) => {
    const [orders, jobs, children] = await Promise.all([
      lockOrders(batch, [...new Set(found.map(({ orderId }): OrderId => orderId))]),
      lockWaitingJobs(batch, jobIds),
      findChildren(batch, jobIds),
    ]);
    const drafts = new Drafts(parts);
    await drafts.open(orders);
    const childOf = new Map<JobId, ChildEnd>(children.map((child) => [child.jobId, child]));
    for (const job of jobs) {
      const draft = drafts.get(job.orderId);
      const child = childOf.get(job.id);
      const end = draft?.order.state === 'active' ? endOf(draft, job, child) : null;
      if (end) draft?.endWait(job, end, { by: job.decision?.by, context: child?.context });
    }
    return drafts.commit(batch);
  });
}

function endOf(draft: Draft, job: WaitingJob, child: ChildEnd | undefined): WaitEnd | null {
  if (job.kind === 'order') return child ? endOfChild(child) : null;
  if (job.kind !== 'wait') return null;
  const { decision } = job;
  if (decision?.decision) {
    const { value, comment } = decision;
    return endWait(draft.plan, job.step, job.input, { kind: 'decided', decision: decision.decision, value, comment });
  }
  if (decision) return endWait(draft.plan, job.step, job.input, { kind: 'answered', value: decision.value ?? null });
  return job.due ? endWait(draft.plan, job.step, job.input, { kind: 'due' }) : null;
}

function endOfChild({ orderId, state, result, error }: ChildEnd): WaitEnd | null {
  switch (state) {
    case 'accepted':
    case 'active':
      return null;
    case 'completed':
      return { state: 'completed', result };
    case 'failed':
    case 'cancelled': {
      const message = `order ${orderId} ${state === 'failed' ? 'failed' : 'was cancelled'}: ${error?.message ?? ''}`;
      const code = state === 'failed' ? 'order_failed' : 'order_cancelled';
      return { state: 'error', error: { kind: 'permanent', code, message: message.slice(0, 4000) } };
    }
    default:
      return state satisfies never;
  }
}
