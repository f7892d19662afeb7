import { expect, test } from '@jest/globals';
import { silentLogger } from '@connecta/runtime';
import { Loop } from './loop.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const loopOf = (tick: () => Promise<boolean>, idleMs = 60_000): Loop =>
  new Loop({ name: 'test', tick, idleMs, log: silentLogger() });

test('goes on at once while there is more to do, then waits until it is woken', async () => {
  let turns = 0;
  const loop = loopOf(() => Promise.resolve(++turns % 3 !== 0));
  loop.start();
  await sleep(20);
  expect(turns).toBe(3);
  loop.wake();
  await sleep(20);
  expect(turns).toBe(6);
  await loop.stop();
});

test('a wake during a turn is not lost', async () => {
  let turns = 0;
  const loop: Loop = loopOf(() => {
    if (++turns === 1) loop.wake();
    return Promise.resolve(false);
  });
  loop.start();
  await sleep(20);
  expect(turns).toBe(2);
  await loop.stop();
});

test('goes on after a turn that failed', async () => {
  let turns = 0;
  const loop = loopOf(() => (++turns === 1 ? Promise.reject(new Error('once')) : Promise.resolve(false)));
  loop.start();
  await sleep(120);
  expect(turns).toBe(2);
  await loop.stop();
});

test('stop waits for the turn under way, and may be called twice and before start', async () => {
  let ended = false;
  const loop = loopOf(async () => {
    await sleep(30);
    ended = true;
    return false;
  });
  loop.start();
  await Promise.all([loop.stop(), loop.stop()]);
  expect(ended).toBe(true);
  await loopOf(() => Promise.resolve(true)).stop();
});
