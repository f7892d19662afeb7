import { basename } from 'node:path';
import { parseDocument } from 'yaml';
import { UsageError, type FaultSource } from '../failures.ts';
import { readAll, readText } from '../orders/order-input.ts';
import type { Surroundings } from '../session.ts';

/** A workflow's file as its author wrote it. */
export interface WorkflowFile extends FaultSource {
  /** What it says, for those who need to look inside; undefined when it is no YAML. */
  readonly content: Record<string, unknown> | undefined;
}

/** Reads a workflow's file, or standard input (`-`). Whether it is right is for the server to say. */
export async function readWorkflowFile(path: string, around: Surroundings): Promise<WorkflowFile> {
  const text = path === '-' ? await readAll(around.stdin) : await readText(path, around.cwd);
  const value = valueOf(text);
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return {
    fileName: path === '-' ? 'standard input' : path,
    text,
    content: isObject ? (value as Record<string, unknown>) : undefined,
  };
}

function valueOf(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    // It has aliases, which the server refuses, each with its place.
    return undefined;
  }
}

/** The workflow's name: what the file says, else the file's own name. @throws UsageError */
export function nameOf(file: WorkflowFile): string {
  const name = file.content?.['name'];
  if (typeof name === 'string') return name;
  const fromFile = basename(file.fileName).replace(/\.(?:ya?ml|json)$/, '');
  if (/^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/.test(fromFile)) return fromFile;
  throw new UsageError(`${file.fileName} does not say the workflow's name.`);
}
