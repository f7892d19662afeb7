import { describe, expect, test } from '@jest/globals';
import { parseWorkflow, type Fault } from '@connecta/contracts';
import { compileWorkflow } from '../workflow.ts';
import { soundPart } from './sound-part.ts';

/** Faults of the shape, then those of what is left. */
function pathsOf(value: unknown): string[][] {
  const parsed = parseWorkflow(value);
  const wrong: Fault[] = parsed.ok ? [] : parsed.faults;
  const sound = soundPart(value, wrong);
  if (!sound) return [wrong.map(({ path }) => path)];
  const second = parseWorkflow(sound.value);
  if (!second.ok) throw new Error(JSON.stringify(second.faults));
  const compiled = compileWorkflow(second.definition);
  const found = compiled.ok ? [] : compiled.faults.filter(sound.isReal);
  return [wrong.map(({ path }) => path), found.map(({ path }) => path)];
}

describe('of a workflow whose shape is wrong', () => {
  test('all that is well formed is checked nevertheless', () => {
    const steps = {
      a: { uses: 'g/x', if: 'inptu' },
      b: { uses: 'nothing', with: 'foo', retry: { max: -1 }, cache: { ttl: '1s' } },
      c: { uses: 'g/x', needs: ['b', 'gone'] },
    };
    expect(pathsOf({ priority: 11, output: 'none', steps })).toEqual([
      ['/steps/b/uses', '/steps/b/retry/max', '/priority'],
      ['/output', '/steps/c/needs/1', '/steps/a/if', '/steps/b/with'],
    ]);
  });

  test('what was left out is no fault of whoever refers to it', () => {
    const steps = {
      a: [],
      b: { uses: 'g/x', workflow: 'w', timeouts: {} },
      c: { wait: { for: 'nothing' }, params: {} },
      d: { uses: 'g/x', needs: ['a', 'b', 'c:reject'], with: 'steps.c.outcome + steps.a.result' },
      e: { uses: 'g/x', needs: [1, 'd', 'gone'], with: 'steps.a.result' },
      f: { uses: 'g/x', forEach: { items: 1 }, if: 'each.related.up', with: 'foo', needs: 7 },
      g: { uses: 'g/x', onError: 'so' },
      'h/i': { uses: 'g/x', more: 1 },
    };
    const [shape, rest] = pathsOf({ params: [], steps });
    expect(shape).toEqual(
      expect.arrayContaining(['/params', '/steps/a', '/steps/b', '/steps/c/wait/for', '/steps/e/needs/0']),
    );
    expect(rest).toEqual(['/steps/h~1i', '/steps/e/needs/1']);
  });

  test('an order that is known is checked', () => {
    const steps = { a: { uses: 'g/x', more: 1 }, b: { uses: 'g/x', with: 'steps.a.result' } };
    expect(pathsOf({ steps })).toEqual([['/steps/a/more'], ['/steps/b/with']]);
  });

  test.each([null, 'text', [], {}, { steps: [] }])('%j has nothing that could be checked', (value) => {
    expect(pathsOf(value)).toHaveLength(1);
  });
});
