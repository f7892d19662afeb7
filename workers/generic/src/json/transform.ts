import type { JsonValue } from '@connecta/contracts';
import { defineFunction } from '@connecta/worker-kit';
import { fillTemplate, TEMPLATE_DEFS } from './template.ts';

/** `json.transform`: makes JSON out of JSON by a template; no text of a user is ever run. */
export const jsonTransform = defineFunction<{ template: JsonValue }>({
  name: 'json.transform',
  version: '1.0.0',
  description: 'Picks, renames and arranges parts of a JSON value by a template with JSON pointers.',
  settingsSchema: {
    type: 'object',
    required: ['template'],
    additionalProperties: false,
    properties: { template: { $ref: '#/$defs/template', title: 'Template' } },
    $defs: TEMPLATE_DEFS,
  },
  inputSchema: {},
  outputSchema: {},
  cacheable: true,
  run({ settings, input, params }) {
    return Promise.resolve().then(() => ({ value: fillTemplate(settings.template, { input, params }) }));
  },
});
