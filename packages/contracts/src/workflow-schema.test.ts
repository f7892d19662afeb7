import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { OPENAPI_DOCUMENTS } from './documents.ts';
import { WORKFLOW_SCHEMA, parseWorkflow } from './workflow-schema.ts';

test('every fault of the shape is told at once, each with its place', () => {
  const parsed = parseWorkflow({ steps: { A: { uses: 'x', foo: 1 }, b: { needs: [1] }, c: [] }, more: 1 });
  expect(!parsed.ok && parsed.faults.map((fault) => fault.path).sort()).toEqual([
    ...['/more', '/steps/A/foo', '/steps/A/uses', '/steps/b/needs/0', '/steps/b/uses', '/steps/c'],
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
  const { WorkflowDefinition, Step, Task } = document.components.schemas;
  const schema = WORKFLOW_SCHEMA as unknown as {
    required: string[];
    properties: object;
    $defs: { step: { required: string[]; properties: { uses: { pattern: string } } } };
  };
  expect(Object.keys(WorkflowDefinition?.properties ?? {}).sort()).toEqual(Object.keys(schema.properties).sort());
  expect(WorkflowDefinition?.required).toEqual(schema.required);
  expect(Object.keys(Step?.properties ?? {}).sort()).toEqual(Object.keys(schema.$defs.step.properties).sort());
  expect(Step?.required).toEqual(schema.$defs.step.required);
  expect(Task).toMatchObject({ pattern: schema.$defs.step.properties.uses.pattern });
});
