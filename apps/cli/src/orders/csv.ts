import { UsageError } from '../failures.ts';

/**
 * The records of a CSV text (RFC 4180: quotes, doubled quotes, line breaks inside of quotes), also with `;` or tabs between
 * the fields. The first record names the columns.
 *
 * @throws UsageError naming the line at fault.
 */
export function parseCsv(text: string): { columns: string[]; rows: { line: number; cells: string[] }[] } {
  const source = text.replace(/^\ufeff/, '');
  const separator = separatorOf(source);
  const records = recordsOf(source, separator);
  const [head, ...rows] = records;
  if (!head) throw new UsageError('The CSV file is empty.');
  const columns = head.cells.map((name) => name.trim());
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`The column '${twice}' is there twice.`);
  if (columns.includes('')) throw new UsageError('A column has no name.');
  for (const { line, cells } of rows) {
    if (cells.length !== columns.length) {
      throw new UsageError(`Line ${line} has ${cells.length} fields; there are ${columns.length} columns.`);
    }
  }
  return { columns, rows };
}

function separatorOf(text: string): string {
  const head = text.split('\n', 1)[0] ?? '';
  const counts = [',', ';', '\t'].map((separator) => ({ separator, count: head.split(separator).length }));
  return counts.sort((a, b) => b.count - a.count)[0]?.separator ?? ',';
}

interface Record {
  line: number;
  cells: string[];
}

function recordsOf(text: string, separator: string): Record[] {
  const records: Record[] = [];
  let record: Record = { line: 1, cells: [] };
  let cell = '';
  let line = 1;
  let quotedSince = 0;
  const endRecord = (): void => {
    record.cells.push(cell);
    if (record.cells.length > 1 || cell.trim() !== '') records.push(record);
    cell = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\n') line += 1;
    if (quotedSince > 0) {
      if (character !== '"') cell += character;
      else if (text.charAt(at + 1) === '"') {
        cell += '"';
        at += 1;
      } else quotedSince = 0;
    } else if (character === '"' && cell === '') quotedSince = line;
    else if (character === separator) {
      record.cells.push(cell);
      cell = '';
    } else if (character === '\n') {
      endRecord();
      record = { line, cells: [] };
    } else if (character !== '\r') cell += character;
  }
  if (quotedSince > 0) throw new UsageError(`The quote that opens in line ${quotedSince} is never closed.`);
  endRecord();
  return records;
}

/** One line of a CSV file as a part of an order. A cell of the column `file`, or `@path` in `input`, is a file to send. */
export interface CsvOrder {
  readonly line: number;
  readonly input?: unknown;
  readonly file?: string;
  readonly params?: { [name: string]: unknown };
}

/**
 * What a line asks for. Columns are fields of the input (`size.width` is a field in a field); one column `input` alone is
 * the whole input; `params.name` is a parameter of the order; `file` is a file whose bytes are the input. Numbers, `true`,
 * `false`, `null` and JSON objects and lists count as what they are; an empty cell is left out.
 */
export function csvOrder(
  columns: readonly string[],
  { line, cells }: { line: number; cells: readonly string[] },
): CsvOrder {
  const fields: { [name: string]: unknown } = {};
  const params: { [name: string]: unknown } = {};
  let whole: { value: unknown } | undefined;
  let file: string | undefined;
  for (const [index, column] of columns.entries()) {
    const cell = cells[index] ?? '';
    if (cell === '') continue;
    if (column === 'file') file = cell;
    else if (column === 'input') {
      if (cell.startsWith('@')) file = cell.slice(1);
      else whole = { value: cellValue(cell) };
    } else if (column.startsWith('params.'))
      setField(params, column.slice('params.'.length).split('.'), cellValue(cell));
    else setField(fields, column.split('.'), cellValue(cell));
  }
  const hasFields = Object.keys(fields).length > 0;
  const ways = [file !== undefined, whole !== undefined, hasFields].filter(Boolean).length;
  if (ways > 1)
    throw new UsageError(`Line ${line} has its input in several ways: fields, 'input' and 'file' exclude each other.`);
  return {
    line,
    ...(whole ? { input: whole.value } : hasFields ? { input: fields } : {}),
    ...(file === undefined ? {} : { file }),
    ...(Object.keys(params).length > 0 ? { params } : {}),
  };
}

/** A number only when it is written as JSON writes it: `007` and `1e400` stay texts. */
export function cellValue(cell: string): unknown {
  const text = cell.trim();
  if (/^(?:true|false|null|[[{].*|".*"|-?\d.*)$/s.test(text)) {
    try {
      const value = JSON.parse(text) as unknown;
      if (typeof value !== 'number' || Number.isFinite(value)) return value;
    } catch {
      return cell;
    }
  }
  return cell;
}

function setField(target: { [name: string]: unknown }, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) {
    define(target, name, value);
    return;
  }
  const inner = Object.hasOwn(target, name) ? target[name] : undefined;
  const next = typeof inner === 'object' && inner !== null ? (inner as { [name: string]: unknown }) : {};
  setField(next, rest, value);
  define(target, name, next);
}

/** A column may be called `__proto__`: it is a field like any other. */
function define(target: { [name: string]: unknown }, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true });
}
