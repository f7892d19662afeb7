import { LineCounter, parseDocument, isMap, isNode, isScalar, isSeq, type Document } from 'yaml';
import type { Fault } from '../api/shapes.ts';
import { CliError, ProblemError, type FaultSource } from '../failures.ts';
import { harmless, type Style } from './style.ts';

/** An error as a person wants it: what is wrong, each fault with its place, what to do. */
export function errorText(error: unknown, style: Style): string {
  if (error instanceof ProblemError) return problemText(error, style);
  if (error instanceof CliError) return lines(head(error.message, style), hints(error, style));
  const message = error instanceof Error ? error.message : String(error);
  return head(message, style);
}

function problemText(error: ProblemError, style: Style): string {
  const { title, detail, code, errors = [] } = error.problem;
  const said = detail === undefined || detail === title ? title : `${title}: ${detail}`;
  const request = typeof error.problem['requestId'] === 'string' ? `  request ${error.problem['requestId']}` : '';
  const faults = faultsText(errors, error.source, style);
  return lines(`${head(said, style)} ${style.faint(`(${code})`)}`, faults, style.faint(request), hints(error, style));
}

/** Each fault on a line of its own; with the source at hand, its line of it. */
export function faultsText(faults: readonly Fault[], source: FaultSource | undefined, style: Style): string {
  return faults.map((fault) => faultText(fault, source, style)).join('\n');
}

function faultText(fault: Fault, source: FaultSource | undefined, style: Style): string {
  const { path, message } = fault;
  const place =
    source && path.startsWith('/') ? placeIn(source.text, path) : (placeToldIn(fault) ?? placeNamedIn(path));
  if (!source || !place) {
    return `  ${style.warn(harmless(placeText(path)))}${path === '' ? '' : ': '}${harmless(message)}`;
  }
  const where = `${source.fileName}:${place.line}:${place.column}`;
  // The server counts lines too, and says so in words.
  const said = harmless(message.replace(/ \(line \d+(?:, column \d+)?\)$/, ''));
  const named = path === '' ? '' : ` ${style.faint(`(${path})`)}`;
  return [`  ${style.warn(where)}: ${said}${named}`, ...excerpt(source.text, place, style)].join('\n');
}

/** A place in a text: both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a JSON pointer leads in a YAML or JSON text; the deepest part of it that exists. */
export function placeIn(text: string, pointer: string): Place | undefined {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, logLevel: 'silent' });
  const names = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const offset = offsetOf(document, names);
  if (offset === undefined) return undefined;
  const { line, col } = counter.linePos(offset);
  return { line, column: col };
}

/** Where the server says that a text is no YAML. */
function placeToldIn({ line, column }: Fault): Place | undefined {
  return line === undefined || column === undefined ? undefined : { line, column };
}

/** `line 3, column 5` as YAML parsers say it. */
function placeNamedIn(path: string): Place | undefined {
  const found = /^(?:line )?(\d+)(?::|, column )(\d+)$/.exec(path);
  return found ? { line: Number(found[1]), column: Number(found[2]) } : undefined;
}

function offsetOf(document: Document, names: readonly string[]): number | undefined {
  let node: unknown = document.contents;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  for (const name of names) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name);
      if (!pair) break;
      // The key is where a person looks, and a value that is missing has no place of its own.
      offset = isNode(pair.key) ? pair.key.range?.[0] : offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(name)];
      offset = isNode(node) ? node.range?.[0] : offset;
    } else break;
  }
  return offset;
}

/** The line of a place with its neighbours before it, and a mark below the column. */
function excerpt(text: string, { line, column }: Place, style: Style): string[] {
  const all = text.split('\n');
  const digits = String(line).length;
  const first = Math.max(1, line - 1);
  const shown = all.slice(first - 1, line).map((content, index) => {
    const number = first + index;
    const row = `    ${String(number).padStart(digits)} │ ${content.replaceAll('\t', ' ')}`;
    return number === line ? row : style.faint(row);
  });
  return [...shown, `    ${' '.repeat(digits)} │ ${' '.repeat(column - 1)}${style.bad('^')}`];
}

function placeText(path: string): string {
  const [, kind, name] = /^(query|header|path):(.*)$/.exec(path) ?? [];
  return kind === undefined ? path : `${kind} ${name ?? ''}`;
}

const head = (message: string, style: Style): string => `${style.bad('✗')} ${message}`;

function hints({ hints: list }: CliError, style: Style): string {
  return list.map((hint) => style.faint(`  ${hint}`)).join('\n');
}

const lines = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n');
