import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join } from 'node:path';

/**
 * Programs that run whatever their arguments say. Allowing one would let every author of a profile run anything, so they
 * are refused; a script of the operator's with fixed insides is what to allow instead.
 */
const INTERPRETERS =
  /^(?:(?:ba|da|z|k|c|tc|fi|a)?sh|busybox|env|xargs|find|parallel|nohup|timeout|nice|setsid|stdbuf|watch|sudo|doas|su|ssh|[gmn]?awk|sed|ed|vim?|perl|python|pypy|ruby|node|nodejs|npm|npx|deno|bun|php|lua|tclsh|expect|make|gdb|docker|podman)[\d.]*$/;

/** The programs that profiles may name, as the operator listed them. */
export interface CommandList {
  /** Absolute paths by name. */
  readonly commands: ReadonlyMap<string, string>;
  /** What is wrong with the list. */
  readonly faults: readonly string[];
}

/**
 * Reads the operator's list: entries separated as in PATH; each the absolute path of a program, the name of one on
 * `path`, or the absolute path of a folder, whose programs all are allowed. A profile names a program by its file name
 * alone.
 */
export function readCommandList(list: string, path: string): CommandList {
  const commands = new Map<string, string>();
  const faults: string[] = [];
  const allow = (name: string, program: string): void => {
    const other = commands.get(name);
    if (INTERPRETERS.test(name)) faults.push(`${name} runs anything it is told: allow a script of your own instead`);
    else if (other !== undefined && other !== program) faults.push(`${name} is both ${other} and ${program}`);
    else commands.set(name, program);
  };
  for (const entry of list.split(delimiter).map((part) => part.trim())) {
    if (entry === '') continue;
    const full = isAbsolute(entry) ? entry : findOn(path, entry);
    if (full === undefined) faults.push(`${entry} is not on the path`);
    else if (isFolder(full)) for (const name of programsIn(full)) allow(name, join(full, name));
    else if (isProgram(full)) allow(basename(full), full);
    else faults.push(`${entry} is neither a program that may be run nor a folder`);
  }
  return { commands, faults };
}

function findOn(path: string, name: string): string | undefined {
  if (name.includes('/')) return undefined;
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find(isProgram);
}

/** Programs directly in a folder; links only when they stay in it. */
function programsIn(folder: string): string[] {
  const real = realpathSync(folder);
  return readdirSync(real).filter((name) => {
    const program = join(real, name);
    return !name.startsWith('.') && isProgram(program) && realpathSync(program).startsWith(`${real}/`);
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isProgram(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
