import { expect, test } from '@jest/globals';
import { CliError, EXIT, ProblemError } from '../failures.ts';
import { errorText, placeIn } from './problem-text.ts';
import { styleOf } from './style.ts';

const style = styleOf(false);
const text = 'name: x\nsteps:\n  a: { uses: generic/add-2 }\n  b:\n    uses: generic/nope\n    needs: [a, c]\n';

test('a pointer leads to its line and column, as far as it can be followed', () => {
  expect(placeIn(text, '/steps/b/uses')).toEqual({ line: 5, column: 5 });
  expect(placeIn(text, '/steps/b/needs/1')).toEqual({ line: 6, column: 16 });
  expect(placeIn(text, '/steps/a/missing')).toEqual({ line: 3, column: 3 });
  expect(placeIn('', '/x')).toBeUndefined();
});

test('a problem is shown with its title, its detail and each fault with the line that it is in', () => {
  const problem = {
    ...{ type: 't', title: 'The workflow is not valid', status: 422, code: 'invalid_workflow' },
    errors: [{ path: '/steps/b/uses', message: "there is no task 'generic/nope' (line 5)" }],
  };
  expect(errorText(new ProblemError(problem, { fileName: 'w.yaml', text }), style)).toBe(
    [
      '✗ The workflow is not valid (invalid_workflow)',
      "  w.yaml:5:5: there is no task 'generic/nope' (/steps/b/uses)",
      '    4 │   b:',
      '    5 │     uses: generic/nope',
      '      │     ^',
    ].join('\n'),
  );
});

test('where a text is no YAML is shown as the server tells it', () => {
  const problem = {
    ...{ type: 't', title: 'The request is not valid', status: 400, code: 'bad_request' },
    errors: [{ path: '', message: 'Map keys must be unique', line: 2, column: 3 }],
  };
  expect(errorText(new ProblemError(problem, { fileName: 'w.yaml', text: 'a:\n  b: 1' }), style)).toContain(
    '\n  w.yaml:2:3: Map keys must be unique\n    1 │ a:\n    2 │   b: 1\n      │   ^',
  );
});

test('a fault without a text to point into is shown with its path', () => {
  const problem = {
    ...{ type: 't', title: 'Bad', detail: 'The body is not valid', status: 400, code: 'bad_request' },
    errors: [{ path: 'query:limit', message: 'must be a number' }],
  };
  expect(errorText(new ProblemError(problem), style)).toBe(
    '✗ Bad: The body is not valid (bad_request)\n  query limit: must be a number',
  );
});

test('any other error is told in one sentence with what to do, and without a stack', () => {
  expect(errorText(new CliError(EXIT.usage, 'No.', ['Do this.']), style)).toBe('✗ No.\n  Do this.');
  expect(errorText(new TypeError('odd'), style)).toBe('✗ odd');
});
