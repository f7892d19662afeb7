import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { OPENAPI_DOCUMENTS } from './documents.ts';
import { WORKFLOW_SCHEMA, parseWorkflow } from './workflow-schema.ts';

test('every fault of the shape is told at once, each with its place', () => {
  const parsed = parseWorkflow({ steps: { A: { uses: 'x', foo: 1 }, b: { needs: [1] }, c: [] }, more: 1 });
  expect(!parsed.ok && parsed.faults.map((fault) => fault.path).sort()).toEqual([
    ...['/more', '/steps/A/foo', '/steps/A/uses', '/steps/b', '/steps/b/needs/0', '/steps/c'],
  ]);
});

test('routes and sinks have their places', () => {
  const written = {
    steps: { a: { uses: 'x/y' } },
    routes: [{ type: 'folder', path: 'in' }],
    sinks: [{ type: 'webhook', url: 'https://a.example' }],
  };
  expect(parseWorkflow(written)).toEqual({ ok: true, definition: written });
});

test.each([null, 1, 'text', [], {}, { steps: {} }, { steps: [] }])('%j is no workflow', (value) => {
  expect(parseWorkflow(value).ok).toBe(false);
});

test('the front API describes the same format', () => {
  const document = parse(readFileSync(OPENAPI_DOCUMENTS.feApi, 'utf8')) as {
    components: { schemas: Record<string, { required: string[]; properties: object }> };
  };
  const { WorkflowDefinition, Task } = document.components.schemas;
  const schema = WORKFLOW_SCHEMA as unknown as {
    required: string[];
    properties: object;
    $defs: { step: { properties: { uses: { pattern: string } } } };
  };
  expect(Object.keys(WorkflowDefinition?.properties ?? {}).sort()).toEqual(Object.keys(schema.properties).sort());
  expect(WorkflowDefinition?.required).toEqual(schema.required);
  expect(Task).toMatchObject({ pattern: schema.$defs.step.properties.uses.pattern });
});

test('a workflow may use the whole language', () => {
  const written = {
    name: 'whole',
    params: { size: { type: 'number', default: 3, description: 'x' }, pipeline: { required: true } },
    priority: 7,
    concurrency: { max: 2, key: 'client' },
    steps: {
      cut: {
        uses: 'g/cut',
        forEach: {
          items: 'input.list',
          key: 'each.item.id',
          related: { next: '[1]' },
          max: 5,
          onItemError: 'continue',
        },
        if: 'each.index > 0',
        with: { a: 'each.item', b: [1, true, null] },
        timeouts: { ack: '5s', start: '1m', complete: '1h30m', cap: '1d' },
        retry: { max: 0, backoff: 'fixed', delay: '1s', maxDelay: '1m', jitter: false, on: ['lost'] },
        offline: { policy: 'fail', limit: '1m' },
        cache: { ttl: '7d' },
        onError: { fallback: 'other' },
      },
      other: { uses: 'g/other', onError: 'continue' },
      sub: { workflow: 'a@3', params: { x: 'input' }, needs: ['cut'] },
      given: { workflow: { param: 'pipeline', default: 'b' }, forEach: 'input' },
      review: { wait: { for: 'approval', role: 'admin', timeout: '2d', instructions: 'Look.' }, needs: ['sub'] },
      asked: { wait: { for: 'callback', timeout: '2d' } },
      late: { wait: { for: 'time', until: 'input.at' }, needs: ['review:approve', 'review:edit'] },
    },
    output: 'late',
  };
  expect(parseWorkflow(written)).toEqual({ ok: true, definition: written });
});

test('what a fault says helps', () => {
  const parsed = parseWorkflow({
    params: { 'a-b': {}, c: { type: 'text' } },
    priority: 11,
    steps: {
      a: { uses: 'a/b', workflow: 'c', onError: 'ignore', timeouts: { ack: '5 s' }, needs: ['b:maybe'], forEach: {} },
      b: { workflow: 'c@0', wait: 1 },
      c: { workflow: { default: 'C' } },
    },
  });
  expect(parsed.ok ? [] : parsed.faults.map(({ path, message }) => `${path} ${message}`).sort()).toEqual(
    [
      '/params/a-b is not a name: letters, digits and _, no digit first',
      '/params/c/type is one of string, number, boolean, object, array',
      '/priority must be <= 10',
      '/steps/a has exactly one of uses, workflow and wait',
      "/steps/a/onError is 'fail', 'continue' or {fallback: step}",
      '/steps/a/timeouts/ack is not a duration: 90s, 10m, 1h30m',
      "/steps/a/needs/0 is not a step's name, or name:approve, name:reject, name:edit or name:timeout",
      '/steps/a/forEach/items is required',
      '/steps/b has exactly one of uses, workflow and wait',
      '/steps/b/wait must be object',
      '/steps/b/workflow is not a workflow: a name, or name@version',
      '/steps/c/workflow/default is not a workflow: a name, or name@version',
      '/steps/c/workflow/param is required',
    ].sort(),
  );
});
