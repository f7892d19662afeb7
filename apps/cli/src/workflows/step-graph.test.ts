import { expect, test } from '@jest/globals';
import { dotText, graphOf, mermaidText, treeText } from './step-graph.ts';

const steps = graphOf({
  steps: {
    bright: { uses: 'generic/bright' },
    sizes: { uses: 'generic/device-sizes', needs: ['bright'], if: 'input.big == true' },
    review: { wait: { for: 'approval' }, needs: ['bright'] },
    mark: { workflow: 'marks@2', needs: ['sizes', 'review:approve'], forEach: { items: 'steps.sizes.result' } },
  },
});

test('a graph is a tree in which a step stands below its last need and names the others', () => {
  expect(treeText(steps)).toBe(
    [
      'bright  generic/bright',
      '├─ sizes  generic/device-sizes  (if input.big == true)',
      '└─ review  wait for approval',
      '   └─ [approve] mark  workflow marks@2  (also needs sizes; for each of steps.sizes.result)',
    ].join('\n'),
  );
});

test('steps that need each other are drawn once each, and nothing hangs', () => {
  const cycle = graphOf({ steps: { a: { uses: 'x/y', needs: ['b'] }, b: { uses: 'x/y', needs: ['a'] } } });
  expect(treeText(cycle).split('\n')).toHaveLength(2);
});

test('mermaid and dot have every step, every edge and no raw quote', () => {
  expect(mermaidText(steps)).toContain('s2 -->|approve| s3');
  expect(mermaidText(graphOf({ steps: { a: { uses: 'x/y', if: 'input == "b"' } } }))).toContain(
    'input == #quot;b#quot;',
  );
  expect(dotText(steps, 'client "x"')).toContain('digraph "client \\"x\\"" {');
  expect(dotText(steps, 'x')).toContain('"review" -> "mark" [label="approve"];');
});

test('something that is no workflow has no steps', () => {
  expect(graphOf(null)).toEqual([]);
  expect(graphOf({ steps: 'x' })).toEqual([]);
});
