import { describe, expect, test } from '@jest/globals';
import { functionParams } from './function-params.ts';

describe('the params that a function sees', () => {
  test('are the order’s under the step’s, with a strategy', () => {
    expect(functionParams({})).toEqual({ strategy: 'final' });
    expect(functionParams({ a: 1, b: 2, strategy: 'draft' }, { b: 3 })).toEqual({ a: 1, b: 3, strategy: 'draft' });
  });

  test('do not tell how the order came about, but what a step says for itself', () => {
    const params = { a: 1, scheduledAt: '2026-03-01T00:00:00.000Z', invocation: { task: 'g/x' }, upstream: {} };
    expect(functionParams(params)).toEqual({ a: 1, strategy: 'final' });
    expect(functionParams(params, { scheduledAt: 'always' })).toMatchObject({ scheduledAt: 'always' });
  });

  test('leave a param alone that is only called like one of those of an invocation', () => {
    expect(functionParams({ upstream: 5 })).toMatchObject({ upstream: 5 });
  });

  test('leave the order’s as they are', () => {
    const params = { scheduledAt: 'x', invocation: 1 };
    functionParams(params);
    expect(params).toEqual({ scheduledAt: 'x', invocation: 1 });
  });
});
