import { describe, expect, test } from '@jest/globals';
import { MAX_STEPS, type WorkflowDefinition } from '@connecta/contracts';
import { chainOf, compileWorkflow } from './workflow.ts';

const faultsOf = (definition: WorkflowDefinition): string[] => {
  const result = compileWorkflow(definition);
  return result.ok ? [] : result.faults.map((fault) => `${fault.path}: ${fault.message}`);
};

describe('compileWorkflow', () => {
  test('sorts the steps and takes the only step that nothing needs as the output', () => {
    const result = compileWorkflow({
      steps: { last: { uses: 'generic/b', needs: ['first', 'first'] }, first: { uses: 'generic/a' } },
    });
    expect(result).toMatchObject({
      ok: true,
      workflow: {
        steps: [
          { name: 'first', step: { uses: 'generic/a' }, needs: [] },
          { name: 'last', step: { uses: 'generic/b' }, needs: ['first'] },
        ],
        outputs: ['last'],
      },
    });
  });

  test('takes the output that the author names', () => {
    const result = compileWorkflow({ steps: { a: { uses: 'g/a' }, b: { uses: 'g/b' } }, output: 'a' });
    expect(result.ok && result.workflow.outputs).toEqual(['a']);
  });

  test('without an output, all steps that nothing needs are outputs', () => {
    const result = compileWorkflow({ steps: { a: { uses: 'g/a' }, b: { uses: 'g/b' } } });
    expect(result.ok && result.workflow.outputs).toEqual(['a', 'b']);
  });

  test('tells every fault at once, each with its place', () => {
    expect(
      faultsOf({
        steps: {
          'Bad/Name~': { uses: 'no-slash' },
          a: { uses: 'g/a', needs: ['b', 'missing'] },
          b: { uses: 'g/b/c', needs: ['a'] },
        },
        output: 'nowhere',
      }),
    ).toEqual([
      "/output: there is no step 'nowhere'",
      "/steps/Bad~1Name~0: 'Bad/Name~' is not a name: lower-case letters, digits, '-' and '_'",
      "/steps/Bad~1Name~0/uses: 'no-slash' is not a task: worker-type/profile-name",
      "/steps/b/uses: 'g/b/c' is not a task: worker-type/profile-name",
      "/steps/a/needs/1: there is no step 'missing'",
      '/steps/a/needs: these steps wait for each other: a → b → a',
    ]);
  });

  test('refuses none and too many steps', () => {
    expect(faultsOf({ steps: {} })).toEqual(['/steps: a workflow needs at least one step']);
    const steps = Object.fromEntries(Array.from({ length: MAX_STEPS + 1 }, (_, i) => [`s${i}`, { uses: 'g/a' }]));
    expect(faultsOf({ steps })).toEqual([`/steps: more than ${MAX_STEPS} steps`]);
  });

  test('does not take inherited properties for steps', () => {
    expect(faultsOf({ steps: { a: { uses: 'g/a', needs: ['constructor'] } }, output: 'toString' })).toHaveLength(2);
  });
});

describe('chainOf', () => {
  test('names steps after their profiles and chains them', () => {
    expect(chainOf(['generic/add-2', 'generic/times-2'])).toEqual({
      steps: { 'add-2': { uses: 'generic/add-2' }, 'times-2': { uses: 'generic/times-2', needs: ['add-2'] } },
    });
  });

  test('numbers repeats, passing over names that are taken', () => {
    expect(Object.keys(chainOf(['g/a', 'g/a', 'g/a-2', 'g/a']).steps)).toEqual(['a', 'a-3', 'a-2', 'a-4']);
  });

  test('keeps what is no task, for the check to name', () => {
    expect(chainOf(['nonsense'])).toEqual({ steps: { nonsense: { uses: 'nonsense' } } });
  });
});
