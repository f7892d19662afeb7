import { describe, expect, test } from '@jest/globals';
import { PROBLEMS, Problem, type ProblemCode } from './errors.ts';

describe('problems', () => {
  test.each(Object.keys(PROBLEMS) as ProblemCode[])('%s has a status of errors and a document', (code) => {
    const problem = new Problem(code, 'what happened');
    expect(problem.status).toBeGreaterThanOrEqual(400);
    expect(problem.status).toBeLessThan(600);
    expect(problem.toDocument()).toEqual({
      ...{ type: `urn:connecta:problem:${code}`, title: PROBLEMS[code].title, status: PROBLEMS[code].status },
      ...{ detail: 'what happened', code },
    });
  });

  test('carry faults, further members and a cause; what a document must say cannot be overwritten', () => {
    const cause = new Error('below');
    const faults = [{ path: '/a', message: 'is required' }];
    const extensions = { winningAttempt: 2, status: 200, code: 'mine' };
    const problem = new Problem('conflict', 'no', { cause, faults, extensions, headers: { 'retry-after': '1' } });
    expect(problem.toDocument()).toMatchObject({ winningAttempt: 2, status: 409, code: 'conflict', errors: faults });
    expect(problem.cause).toBe(cause);
    expect(problem.headers).toEqual({ 'retry-after': '1' });
  });
});
