import { expect, test } from '@jest/globals';
import { styleOf } from '../output/style.ts';
import { orderText } from './order-text.ts';

test('what has not begun is shown with what holds it up', () => {
  const why = 'no runner of the type cu is up; by its offline policy it is given up then';
  const text = orderText(
    {
      ...{ id: '1', client: 'c', state: 'accepted', waitsFor: 'turn', why: 'accepted orders before it: 3', input: 5 },
      jobs: {
        first: { uses: 'cu/a', state: 'invoked', attempt: 1, input: 5, waitsFor: 'runner', why, until: '2026-03-01' },
        then: { uses: 'cu/b', state: 'pending', waitsFor: 'steps', why: 'needs the end of first' },
      },
      ...{ createdBy: 'x', createdAt: '2026-02-28T00:00:00Z' },
    },
    { style: styleOf(false), width: 200, now: Date.parse('2026-02-28T00:00:00Z') },
  );
  expect(text).toMatch(/^ {2}waits +accepted orders before it: 3$/m);
  expect(text).toMatch(/^first .* given up then \(2026-03-01\)$/m);
  expect(text).toMatch(/^then .* needs the end of first$/m);
});
