import { readFile } from 'node:fs/promises';
import type { JsonValue } from '@connecta/contracts';

/** Something that the worker can do, for the kit to have it do. */
export interface Case {
  /** The name of one of its profiles; without it the kit makes up an id. */
  profile?: string;
  /** The function; that of the profile by default. */
  function?: string;
  /** The input as JSON; for `big`, `inputRepeat` says how often a text is repeated. */
  input?: JsonValue;
  inputRepeat?: number;
  /** The input as a blob of this text. */
  content?: string;
  mediaType?: string;
  /** The expected result; any by default. */
  result?: JsonValue;
  /** The expected error of `fails`. */
  error?: { kind?: string; code?: string };
}

/**
 * What the kit knows of a worker, all optional: rules whose case is missing are skipped. `quick` ends within a second,
 * `slow` takes three to ten seconds, `blob` reads a blob, `big` results in over 8 KiB of JSON, `fails` fails,
 * `checkpoint` takes three to ten seconds and leaves checkpoints; `settings` are some that fit a function and some that
 * do not.
 */
export interface Cases {
  quick?: Case;
  slow?: Case;
  blob?: Case;
  big?: Case;
  fails?: Case;
  checkpoint?: Case;
  settings?: { function: string; valid: { [name: string]: JsonValue }; invalid: { [name: string]: JsonValue } };
}

/** The names of the cases that are jobs. */
export const JOB_CASES = ['quick', 'slow', 'blob', 'big', 'fails', 'checkpoint'] as const;
export type JobCase = (typeof JOB_CASES)[number];

const KNOWN = new Set<string>([...JOB_CASES, 'settings']);

/** @throws Error when the file is no JSON object of cases. */
export async function readCases(file: string | undefined): Promise<Cases> {
  if (file === undefined) return {};
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'));
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error(`${file}: not an object`);
  const unknown = Object.keys(parsed).filter((name) => !KNOWN.has(name));
  if (unknown.length > 0) throw new Error(`${file}: unknown cases ${unknown.join(', ')}`);
  return parsed;
}
