import { expect, test } from '@jest/globals';
import { timesOf } from './find-order.ts';
import { eventsOf } from './order-events.ts';
import { readParams, readTarget } from './order-input.ts';

async function read(...chunks: string[]) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  const events = [];
  for await (const event of eventsOf(new Response(body))) events.push(event);
  return events;
}

test('events are read wherever the network cuts them, comments and settings left out', async () => {
  const message = 'id: 1\nevent: job\ndata: {"type":"job","step":"ä","at":"t"}\n\n';
  const cuts = message.split('');
  expect(await read('retry: 1000\n\n', ...cuts, ':\n\n')).toEqual([{ number: 1, type: 'job', step: 'ä', at: 't' }]);
});

test('an event that is not whole when the connection ends is left for the next connection', async () => {
  expect(await read('id: 1\ndata: {"type":"order"')).toEqual([]);
});

test('the beginning of an id names the time in which it was made', () => {
  const { from, to } = timesOf('01a1fdb2-1966');
  const made = Number.parseInt('01a1fdb21966', 16);
  expect(Date.parse(from)).toBe(made - 60_000);
  expect(Date.parse(to)).toBe(made + 60_000);
  expect(Date.parse(timesOf('ffffff').to)).toBeLessThanOrEqual(Date.parse('9999-12-31T23:59:59Z'));
});

test('what to run is a workflow, a task or a list of tasks', () => {
  expect(readTarget('client-x@2')).toEqual({ workflow: 'client-x@2' });
  expect(readTarget('generic/add-2, generic/times-2')).toEqual({ tasks: ['generic/add-2', 'generic/times-2'] });
  expect(() => readTarget('generic/add-2,client-x')).toThrow('mixes');
  expect(() => readTarget('generic/add-2,')).toThrow('empty name');
});

test('a parameter is JSON where it is, and text elsewhere', () => {
  expect(readParams(['a=1', 'b=true', 'c=x=y', 'd={"e":2}'])).toEqual({ a: 1, b: true, c: 'x=y', d: { e: 2 } });
  expect(() => readParams(['=1'])).toThrow('name=value');
});
