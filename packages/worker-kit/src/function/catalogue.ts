import type { WorkerFunction } from './function.ts';
import { openSchemaCompiler, type SchemaCheck } from './schema-check.ts';

/** A function with its schemas compiled. */
export interface CatalogueEntry {
  readonly definition: WorkerFunction;
  readonly settings: SchemaCheck;
  readonly input: SchemaCheck;
  readonly output: SchemaCheck;
  readonly fillSettingDefaults: (settings: unknown) => void;
}

/** A worker type's functions by name. */
export type Catalogue = ReadonlyMap<string, CatalogueEntry>;

/**
 * Compiles all functions once.
 *
 * @throws Error naming every function whose schemas do not compile, and every name that occurs twice.
 */
export function compileCatalogue(functions: readonly WorkerFunction[]): Catalogue {
  const compiler = openSchemaCompiler();
  const catalogue = new Map<string, CatalogueEntry>();
  const faults: string[] = [];
  for (const definition of functions) {
    if (catalogue.has(definition.name)) faults.push(`${definition.name}: offered twice`);
    try {
      catalogue.set(definition.name, {
        definition,
        settings: compiler.check(definition.settingsSchema),
        input: compiler.check(definition.inputSchema),
        output: compiler.check(definition.outputSchema),
        fillSettingDefaults: compiler.fillDefaults(definition.settingsSchema),
      });
    } catch (error) {
      faults.push(`${definition.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) throw new Error(`the functions are not usable:\n${faults.join('\n')}`);
  return catalogue;
}
