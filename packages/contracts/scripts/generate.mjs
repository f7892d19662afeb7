/** Makes src/generated/*.d.ts from the OpenAPI documents: one declaration file a document. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import openapiTypescript, { astToString } from 'openapi-typescript';

const source = new URL('../openapi/', import.meta.url);
const target = new URL('../src/generated/', import.meta.url);
await mkdir(target, { recursive: true });
for (const file of (await readdir(source)).filter((name) => name.endsWith('.yaml'))) {
  const ast = await openapiTypescript(new URL(file, source));
  await writeFile(new URL(file.replace(/\.yaml$/, '.d.ts'), target), astToString(ast));
}
