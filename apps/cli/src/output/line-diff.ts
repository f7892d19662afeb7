import type { Style } from './style.ts';

/** One line of a comparison. */
export interface DiffLine {
  readonly kind: 'same' | 'gone' | 'new';
  readonly text: string;
}

/** Longer texts are compared as wholes: the table below grows with the product of both. */
const MOST_LINES = 3_000;
const CONTEXT = 3;

/** What has to be taken away from `before` and added to get `after`, by the longest common subsequence of lines. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const same = (text: string): DiffLine => ({ kind: 'same', text });
  return [
    ...a.slice(0, start).map(same),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
}

function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  if (a.length > MOST_LINES || b.length > MOST_LINES) {
    return [
      ...a.map((text): DiffLine => ({ kind: 'gone', text })),
      ...b.map((text): DiffLine => ({ kind: 'new', text })),
    ];
  }
  const width = b.length + 1;
  // common[i, j]: the longest common subsequence of a from i and b from j.
  const common = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i] ?? '' });
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ kind: 'gone', text: a[i] ?? '' });
      i += 1;
    } else {
      lines.push({ kind: 'new', text: b[j] ?? '' });
      j += 1;
    }
  }
  return lines;
}

/** The changed lines with a little around them, as `diff -u` shows it; empty when nothing changed. */
export function diffText(before: string, after: string, style: Style): string {
  const lines = diffLines(before.trimEnd(), after.trimEnd()).filter(
    ({ kind, text }) => kind !== 'gone' || before !== '' || text !== '',
  );
  if (lines.every(({ kind }) => kind === 'same')) return '';
  const shown = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ kind }) => kind !== 'same'),
  );
  const out: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (!shown[index]) {
      if (shown[index - 1] || index === 0) out.push(style.faint('  ⋮'));
      continue;
    }
    if (line.kind === 'same') out.push(style.faint(`  ${line.text}`));
    else out.push(line.kind === 'gone' ? style.bad(`- ${line.text}`) : style.good(`+ ${line.text}`));
  }
  return out.join('\n');
}
