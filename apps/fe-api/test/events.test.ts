import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderId } from '@connecta/contracts';
import { openFeWorld, type FeWorld } from './fe-world.ts';

let world: FeWorld;
beforeAll(async () => {
  world = await openFeWorld('fe_events');
}, 60_000);
afterAll(() => world.close());

async function place(): Promise<OrderId> {
  const { body } = await world.send('post', '/v1/orders').send({ tasks: ['math/one'] });
  return body.id as OrderId;
}
function open(id: string, lastEventId?: number, key = world.keys.admin): Promise<Response> {
  return fetch(`${world.url}/v1/orders/${id}/events`, {
    headers: {
      authorization: `Bearer ${key}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': `${lastEventId}` }),
    },
  });
}
interface Message {
  id: number;
  event: string;
  data: Record<string, unknown>;
}
async function read(response: Response): Promise<Message[]> {
  const text = await response.text();
  return text
    .split('\n\n')
    .filter((part) => part.includes('data:'))
    .map((part) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? '';
      return { id: Number(field('id')), event: field('event'), data: JSON.parse(field('data')) as Message['data'] };
    });
}

describe('the events of an order', () => {
  test('begin with what was, go on with what comes, and end with the order', async () => {
    const id = await place();
    await world.begin(id);
    const response = await open(id);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reading = read(response);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const cancelledAt = performance.now();
    await world.send('post', `/v1/orders/${id}/cancel`);
    const messages = await reading;
    expect(performance.now() - cancelledAt).toBeLessThan(20_000);
    expect(messages.map((message) => [message.id, message.event, message.data['state']])).toEqual([
      [1, 'order', 'active'],
      [2, 'job', 'cancelled'],
      [3, 'order', 'cancelled'],
    ]);
    expect(messages[1]?.data).toMatchObject({ step: 'one', attempt: 1, at: expect.any(String) });
  });

  test('go on behind the last one that was seen, in the middle of a batch too', async () => {
    const id = await place();
    await world.begin(id);
    await world.send('post', `/v1/orders/${id}/cancel`);
    expect((await read(await open(id, 1))).map((message) => message.id)).toEqual([2, 3]);
    expect((await read(await open(id, 2))).map((message) => message.id)).toEqual([3]);
    expect((await open(id, 3)).status).toBe(204);
  });

  test('reach many readers, each once', async () => {
    const id = await place();
    const readers = await Promise.all(Array.from({ length: 20 }, () => open(id)));
    const reading = Promise.all(readers.map(read));
    await world.begin(id);
    await world.send('post', `/v1/orders/${id}/cancel`);
    for (const messages of await reading) expect(messages.map((message) => message.id)).toEqual([1, 2, 3]);
  });

  test('of a foreign order are not there', async () => {
    const id = await place();
    expect((await open(id, undefined, world.keys.client)).status).toBe(404);
    expect((await open(id, undefined, 'ck_wrong')).status).toBe(401);
  });
});
