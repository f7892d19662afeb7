import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobId, OrderId } from '@connecta/contracts';
import { appendJobLog } from '@connecta/store';
import { openFeWorld, type FeWorld } from './fe-world.ts';

let world: FeWorld;
beforeAll(async () => {
  world = await openFeWorld('fe_job_logs');
}, 60_000);
afterAll(() => world.close());

interface Logging {
  id: OrderId;
  jobId: JobId;
  path: string;
}

async function begin(): Promise<Logging> {
  const { body } = await world
    .as('client')('post', '/v1/orders')
    .send({ tasks: ['math/one'] });
  const id = body.id as OrderId;
  await world.begin(id);
  const job = await world.store.prisma.job.findFirstOrThrow({ where: { orderId: id } });
  return { id, jobId: job.id as JobId, path: `/v1/orders/${id}/jobs/${job.id}/logs` };
}
const log = async ({ jobId }: Logging, attempt: number, first: number, ...messages: string[]): Promise<void> => {
  await world.store.prisma.job.update({ where: { id: jobId }, data: { attempt } });
  const lines = messages.map((message) => ({ at: '2026-01-01T00:00:00.000Z', level: 'info' as const, message }));
  await appendJobLog(world.store, { jobId, attempt, first, lines });
};
const end = ({ jobId }: Logging) =>
  world.store.prisma.job.update({
    where: { id: jobId },
    data: { state: 'completed', finishedAt: new Date(Date.now() - 10_000) },
  });
const open = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(world.url + path, { headers: { authorization: `Bearer ${world.keys.admin}`, ...headers } });
const linesOf = (text: string): string[] =>
  [...text.matchAll(/^id: (.*)\nevent: line\ndata: (.*)$/gm)].map(
    ([, id, data]) => `${id} ${(JSON.parse(data ?? '') as { message: string }).message}`,
  );

describe('what a job logged', () => {
  test('is read in pages, of all attempts or of one', async () => {
    const job = await begin();
    await log(job, 1, 1, 'a', 'b');
    await log(job, 2, 1, 'c');
    const { body } = await world.send('get', `${job.path}?limit=2`).expect(200);
    expect(body.items).toEqual([
      { attempt: 1, number: 1, at: '2026-01-01T00:00:00.000Z', level: 'info', message: 'a' },
      { attempt: 1, number: 2, at: '2026-01-01T00:00:00.000Z', level: 'info', message: 'b' },
    ]);
    const next = await world.send('get', `${job.path}?limit=2&cursor=${body.nextCursor}`).expect(200);
    expect(next.body).toMatchObject({ items: [{ attempt: 2, number: 1, message: 'c' }], nextCursor: null });
    const one = await world.send('get', `${job.path}?attempt=2`).expect(200);
    expect(one.body.items).toHaveLength(1);
    await world.send('get', `${job.path}?cursor=bm9uc2Vuc2U`).expect(400);
  });

  test('is for those who may see the order', async () => {
    const job = await begin();
    await log(job, 1, 1, 'a');
    await world.as('client')('get', job.path).expect(200);
    await world.as('otherClient')('get', job.path).expect(404);
    const other = await begin();
    await world.send('get', `/v1/orders/${other.id}/jobs/${job.jobId}/logs`).expect(404);
  });

  test('can be followed until the job has ended, and again behind a line', async () => {
    const job = await begin();
    await log(job, 1, 1, 'a');
    const response = await open(job.path, { accept: 'text/event-stream' });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reading = response.text();
    await log(job, 1, 2, 'b');
    await end(job);
    expect(linesOf(await reading)).toEqual(['1.1 a', '1.2 b']);
    const again = await open(`${job.path}?follow=true`, { 'last-event-id': '1.1' });
    expect(linesOf(await again.text())).toEqual(['1.2 b']);
  });

  test('is streamed as far as it is, when nobody wants to follow', async () => {
    const job = await begin();
    await log(job, 1, 1, 'a');
    const response = await open(`${job.path}?follow=false`, { accept: 'text/event-stream' });
    expect(linesOf(await response.text())).toEqual(['1.1 a']);
  });

  test('of one attempt ends with the next', async () => {
    const job = await begin();
    await log(job, 1, 1, 'a');
    const reading = (await open(`${job.path}?follow=true&attempt=1`)).text();
    await log(job, 2, 1, 'b');
    expect(linesOf(await reading)).toEqual(['1.1 a']);
  });
});
