import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TraceJob } from '../src/apiClient.ts';
import { TestSystem, until } from '../src/system.ts';

interface WaitingJob extends TraceJob {
  jobId: string;
  waitsFor?: string;
  until?: string;
  callback?: string;
  orderId?: string;
  outcome?: string;
  decidedBy?: string;
}

describe('steps that wait', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await TestSystem.start({ workerTypes: ['generic'] });
    const body = { tasks: ['generic/add-2', 'generic/times-2'], input: 1 };
    await until(async () => (await system.api.send('POST', '/v1/orders', { body })).status === 202);
  });
  afterAll(() => system.stop());

  /** The job of a step, once it waits. */
  const waiting = (id: string, step: string): Promise<WaitingJob> =>
    until(async () => {
      const job = (await system.api.order(id)).jobs[step] as WaitingJob | undefined;
      return job?.state === 'waiting' && job;
    });

  test('an order waits for the answer of another system, also while the orchestrator is killed', async () => {
    // Given an order that waits for a callback
    const steps = {
      ask: { wait: { for: 'callback', timeout: '1h' } },
      add: { uses: 'generic/add-2', needs: ['ask'], with: 'steps.ask.result.n' },
    };
    const id = await system.api.place({ steps, output: 'add', input: 1 });
    const { callback = '', waitsFor } = await waiting(id, 'ask');
    expect(waitsFor).toBe('callback');
    // When the orchestrator dies, and the answer comes before it is back
    system.process('orchestrator').kill('SIGKILL');
    const answered = await fetch(`${system.api.url}${callback}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"n": 40}',
    });
    expect(answered.status).toBe(200);
    // Then the order goes on with it
    expect(await system.api.ended(id)).toMatchObject({ state: 'completed', result: 42 });
  });

  test('a person approves, edits or rejects; what stands behind the other edges is skipped', async () => {
    // Given a review with a step behind each end
    const steps = {
      draft: { uses: 'generic/times-2' },
      review: { wait: { for: 'approval', instructions: 'is it right?' }, needs: ['draft'] },
      go: { uses: 'generic/add-2', needs: ['review'] },
      sorry: { uses: 'generic/times-2', needs: ['review:reject'] },
    };
    const ids = await system.api.placeMany([1, 2, 3].map((input) => ({ steps, output: 'go', input })));
    const decisions = [{ decision: 'approve' }, { decision: 'edit', value: 10 }, { decision: 'reject' }];
    // When people decide
    for (const [i, id] of ids.entries()) {
      const { jobId } = await waiting(id, 'review');
      const told = await system.api.send('POST', `/v1/orders/${id}/jobs/${jobId}/decision`, { body: decisions[i] });
      expect(told.status).toBe(200);
    }
    // Then each order goes its way
    const [approved, edited, rejected] = await Promise.all(ids.map((id) => system.api.ended(id)));
    expect(approved).toMatchObject({ result: 4, jobs: { sorry: { state: 'skipped' } } });
    expect(edited).toMatchObject({ result: 12, jobs: { review: { outcome: 'edit' } } });
    expect(rejected).toMatchObject({ state: 'completed', jobs: { go: { state: 'skipped' }, sorry: { result: 12 } } });
  });

  test('a step that is a workflow is an order of its own, which the trace names', async () => {
    // Given a workflow, and another one that runs it
    const inner = {
      name: 'add-four',
      steps: { a: { uses: 'generic/add-2' }, b: { uses: 'generic/add-2', needs: ['a'] } },
    };
    expect((await system.api.send('POST', '/v1/workflows', { body: inner })).status).toBe(201);
    const steps = { four: { workflow: 'add-four' }, twice: { uses: 'generic/times-2', needs: ['four'] } };
    // When it runs
    const order = await system.api.run({ steps, output: 'twice', input: 1 });
    // Then the inner order has a trace of its own
    expect(order).toMatchObject({ state: 'completed', result: 10 });
    const { orderId = '' } = order.jobs['four'] as WaitingJob;
    expect(await system.api.order(orderId)).toMatchObject({ state: 'completed', result: 5 });
  });

  test('a time comes by itself, and a time-out is an error', async () => {
    // Given an order that waits a moment, and one that nobody answers
    const nap = { nap: { wait: { for: 'time', after: '200ms' } } };
    const ask = { ask: { wait: { for: 'callback', timeout: '200ms' } } };
    // When the time has come, then one goes on and the other fails
    expect(await system.api.run({ steps: nap, input: 1 })).toMatchObject({ state: 'completed', result: 1 });
    expect(await system.api.run({ steps: ask, input: 1 })).toMatchObject({
      ...{ state: 'failed', jobs: { ask: { error: { kind: 'business', code: 'wait_timeout' } } } },
    });
  });
});
