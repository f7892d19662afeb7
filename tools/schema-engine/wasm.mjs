import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const packageName = '@prisma/schema-engine-wasm';
const main = pathToFileURL(createRequire(import.meta.url).resolve(packageName));

/** The engine's version: the commit it was built from. */
export function engineVersion() {
  const { version } = JSON.parse(readFileSync(new URL('./package.json', main), 'utf8'));
  return version.split('.').pop();
}

/** Loads the engine; `onPanic` is told the message when its Rust code panics. */
export async function loadEngine(onPanic) {
  const glue = await import(`${packageName}/schema_engine_bg`);
  const wasm = readFileSync(new URL('./schema_engine_bg.wasm', main));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: onPanic };
  return glue.SchemaEngine;
}
