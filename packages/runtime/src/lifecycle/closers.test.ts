import { describe, expect, test } from '@jest/globals';
import { Closers, withClosers } from './closers.ts';

describe('Closers', () => {
  test('run last opened first, once, and one that fails stops no other', async () => {
    const ran: string[] = [];
    const closers = new Closers();
    closers.add('first', () => void ran.push('first'));
    closers.add('failing', () => Promise.reject(new Error('x')));
    closers.add('last', async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      ran.push('last');
    });
    await Promise.all([closers.close(), closers.close()]);
    await closers.close();
    expect(ran).toEqual(['last', 'first']);
  });

  test('what is opened while closing is closed too', async () => {
    const ran: string[] = [];
    const closers = new Closers();
    closers.add('slow', () => {
      closers.add('late', () => void ran.push('late'));
      ran.push('slow');
    });
    await closers.close();
    await closers.close();
    expect(ran).toEqual(['slow', 'late']);
  });

  test('withClosers closes after success and after failure', async () => {
    const ran: number[] = [];
    await withClosers((closers) => {
      closers.use('thing', { close: () => void ran.push(1) });
      return Promise.resolve();
    });
    const failing = withClosers((closers) => {
      closers.add('thing', () => void ran.push(2));
      return Promise.reject(new Error('work'));
    });
    await expect(failing).rejects.toThrow('work');
    expect(ran).toEqual([1, 2]);
  });
});
