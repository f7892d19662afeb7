import { expect, test } from '@jest/globals';
import type { EventBatch } from '@connecta/queue';
import { Acknowledger } from './acknowledger.ts';

test('reports whose consequences are not on disk are acknowledged behind a later commit that is', () => {
  const acknowledged: string[] = [];
  const batch = (name: string): EventBatch => ({
    events: [],
    ack: () => {
      acknowledged.push(name);
      return Promise.resolve();
    },
  });
  const acknowledger = new Acknowledger();
  acknowledger.add(batch('a'), false);
  acknowledger.add(batch('b'), false);
  expect(acknowledged).toEqual([]);
  acknowledger.add(batch('c'), true);
  expect(acknowledged).toEqual(['a', 'b', 'c']);
  acknowledger.add(batch('d'), false);
  acknowledger.flush();
  acknowledger.flush();
  expect(acknowledged).toEqual(['a', 'b', 'c', 'd']);
});
