import { cut, harmless, widthOf, type Style } from './style.ts';

/** A cell: its plain text, and how it is painted once it has its width. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/** One column's head; `keep` columns (ids, states) are only cut when nothing else is left to cut. */
export interface Column {
  readonly title: string;
  readonly keep?: boolean;
}

const GAP = '  ';
const NARROWEST = 6;

/** Rows under their heads, in columns that fit `width`. The widest columns give first; no line breaks or colours in cells. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: { width: number; style: Style },
): string {
  const cells = rows.map((row) => row.map((cell) => harmless(typeof cell === 'string' ? cell : cell.text)));
  const wanted = columns.map(({ title }, index) =>
    cells.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? '')), title.length),
  );
  const widths = fit(wanted, columns, options.width);
  const line = (texts: readonly string[], paint: (text: string, index: number) => string): string =>
    texts
      .map((text, index) => {
        const short = cut(text, widths[index] ?? 0);
        const last = index === columns.length - 1;
        return paint(short, index) + (last ? '' : ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(short))));
      })
      .join(GAP)
      .trimEnd();
  const head = line(
    columns.map(({ title }) => title),
    (text) => options.style.faint(text),
  );
  const body = cells.map((texts, row) =>
    line(texts, (text, index) => {
      const cell = rows[row]?.[index];
      return typeof cell === 'object' ? cell.paint(text) : text;
    }),
  );
  return [head, ...body].join('\n');
}

/** Takes columns away from the widest until all fit; those to keep come last. */
function fit(wanted: readonly number[], columns: readonly Column[], width: number): number[] {
  const widths = [...wanted];
  const room = width - GAP.length * (columns.length - 1);
  let over = widths.reduce((sum, column) => sum + column, 0) - room;
  for (const keep of [false, true]) {
    while (over > 0) {
      const shrinkable = widths.flatMap((columnWidth, index) =>
        (columns[index]?.keep ?? false) === keep && columnWidth > NARROWEST ? [{ columnWidth, index }] : [],
      );
      const widest = shrinkable.sort((a, b) => b.columnWidth - a.columnWidth)[0];
      if (!widest) break;
      const next = shrinkable[1]?.columnWidth ?? NARROWEST;
      const give = Math.max(1, Math.min(over, widest.columnWidth - Math.max(next, NARROWEST)));
      widths[widest.index] = widest.columnWidth - give;
      over -= give;
    }
  }
  return widths;
}
