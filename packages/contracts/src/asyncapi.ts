import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';

/** What travels on the queues and event streams: the schemas of the AsyncAPI document. */
export type AsyncApiSchema = 'JobMessage' | 'Pack' | 'Started' | 'Progress' | 'Completed' | 'Failed';

/** Reads the AsyncAPI 3 document of the queues and event streams. */
export function readAsyncApi(): Record<string, unknown> {
  return parse(readFileSync(new URL('../asyncapi/connecta.yaml', import.meta.url), 'utf8')) as Record<string, unknown>;
}

/** Says what of a message is not as the AsyncAPI document has it; none when all of it is. */
export function createMessageChecker(): (schema: AsyncApiSchema, message: unknown) => string[] {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) },
  });
  ajv.addSchema(readAsyncApi(), 'asyncapi');
  return (schema, message) => {
    const check = ajv.getSchema(`asyncapi#/components/schemas/${schema}`);
    if (!check) throw new TypeError(`the document has no schema ${schema}`);
    if (check(message) === true) return [];
    return (check.errors ?? []).map(({ instancePath, message: text }) => `${instancePath} ${text ?? ''}`);
  };
}
