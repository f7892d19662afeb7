import { Ajv2020 } from 'ajv/dist/2020.js';

/** What travels on the queues and event streams: the schemas of the AsyncAPI document. */
export type AsyncApiSchema = 'JobMessage' | 'Pack' | 'Started' | 'Progress' | 'Completed' | 'Failed';

/** Says what of a message is not as the AsyncAPI document (parsed) has it; nothing when all of it is. */
export function createMessageChecker(
  document: Record<string, unknown>,
): (schema: AsyncApiSchema, message: unknown) => string[] {
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) },
  });
  ajv.addSchema(document, 'asyncapi');
  return (schema, message) => {
    const check = ajv.getSchema(`asyncapi#/components/schemas/${schema}`);
    if (!check) throw new TypeError(`the document has no schema ${schema}`);
    if (check(message) === true) return [];
    return (check.errors ?? []).map(({ instancePath, message: text }) => `${instancePath} ${text ?? ''}`);
  };
}
