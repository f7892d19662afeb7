import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TraceJob } from '../src/api-client.ts';
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
      late: { uses: 'generic/times-2', needs: ['ask:timeout'], with: '1' },
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
    // Then the order goes on with it, and what stands behind a time-out does not run
    const order = await system.api.ended(id);
    expect(order).toMatchObject({ state: 'completed', result: 42, jobs: { late: { state: 'skipped' } } });
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

  test('a rejection holds, also when the order is taken up again', async () => {
    // Given an order with a step behind both a review and a calculation that hangs on an answer
    const steps = {
      review: { wait: { for: 'approval' } },
      ask: { wait: { for: 'callback', timeout: '2s' } },
      mid: { uses: 'generic/add-2', needs: ['ask'], with: '1' },
      go: { uses: 'generic/add-2', needs: ['review', 'mid'], with: 'steps.mid.result' },
      sorry: { uses: 'generic/times-2', needs: ['review:reject', 'mid'], with: 'steps.mid.result' },
    };
    const id = await system.api.place({ steps, output: 'sorry', input: 1 });
    // When a person rejects, and the order fails because the answer does not come
    const { jobId } = await waiting(id, 'review');
    await system.api.send('POST', `/v1/orders/${id}/jobs/${jobId}/decision`, { body: { decision: 'reject' } });
    expect(await system.api.ended(id)).toMatchObject({ state: 'failed', jobs: { go: { state: 'skipped' } } });
    // And it is taken up again, and the answer comes
    expect((await system.api.send('POST', `/v1/orders/${id}/retry`)).status).toBe(202);
    const callback = await until(async () => ((await system.api.order(id)).jobs['ask'] as WaitingJob).callback);
    const json = { 'content-type': 'application/json' };
    await fetch(`${system.api.url}${callback}`, { method: 'POST', headers: json, body: '1' });
    // Then only what stands behind the rejection runs
    expect(await system.api.ended(id)).toMatchObject({
      ...{ state: 'completed', result: 6 },
      jobs: { go: { state: 'skipped' }, mid: { result: 3 } },
    });
  });

  test('only who may decide does, and a time-out is an edge of its own', async () => {
    // Given a review for admins, with a step for the case that nobody comes
    const steps = {
      review: { wait: { for: 'approval', role: 'admin', timeout: '2s' } },
      go: { uses: 'generic/add-2', needs: ['review'] },
      late: { uses: 'generic/times-2', needs: ['review:timeout'] },
    };
    const ids = await system.api.placeMany([1, 2].map((input) => ({ steps, output: 'go', input })));
    const [decided = '', left = ''] = ids;
    const key = await system.api.send<{ key: string }>('POST', '/v1/api-keys', {
      body: { name: 'an operator', role: 'operator' },
    });
    const operator = system.api.as(key.body.key);
    // When an operator decides, then an admin
    const { jobId } = await waiting(decided, 'review');
    const path = `/v1/orders/${decided}/jobs/${jobId}/decision`;
    const refused = await operator.send('POST', path, { body: { decision: 'approve' } });
    const taken = await system.api.send('POST', path, { body: { decision: 'approve' } });
    // Then the admin's word counts
    expect([refused.status, taken.status]).toEqual([403, 200]);
    expect(await system.api.ended(decided)).toMatchObject({ result: 3, jobs: { late: { state: 'skipped' } } });
    // And where nobody decides in time, the order goes the other way
    expect(await system.api.ended(left)).toMatchObject({
      state: 'completed',
      jobs: { review: { outcome: 'timeout' }, go: { state: 'skipped' }, late: { result: 4 } },
    });
  });

  test('an error is passed over or stood in for, as the step says', async () => {
    // Given steps that fail on words, and say what then
    const steps = {
      bonus: { uses: 'generic/add-2', onError: 'continue' },
      price: { uses: 'generic/times-2', onError: { fallback: 'list-price' } },
      'list-price': { uses: 'generic/add-2', with: '98' },
      sum: { uses: 'generic/add-2', needs: ['price', 'bonus'], with: 'steps.price.result' },
    };
    // When one order brings a number, and another a word
    const [fine, failed] = await Promise.all(
      [20, 'twenty'].map((input) => system.api.run({ steps, output: 'sum', input })),
    );
    // Then both complete, one of them with what stands in
    expect(fine).toMatchObject({ state: 'completed', result: 42, jobs: { 'list-price': { state: 'skipped' } } });
    expect(failed).toMatchObject({
      ...{ state: 'completed', result: 102 },
      jobs: { bonus: { state: 'error' }, price: { state: 'error' }, 'list-price': { result: 100 } },
    });
  });
});
