import type { OutputStream } from './printer.ts';
import { widthOf } from './style.ts';

const FRAME_MS = 100;
const ESCAPE = '\u001b';

/**
 * Lines at the end of a terminal that are overwritten as things change. States: empty → drawn → … → ended; nothing is
 * written after the end. Redraws at most ten times a second, whatever happens in between.
 */
export class LiveRegion {
  readonly #out: OutputStream;
  readonly #render: () => readonly string[];
  #drawn = 0;
  #timer: NodeJS.Timeout | undefined;
  #clock: NodeJS.Timeout | undefined;

  constructor(out: OutputStream, render: () => readonly string[]) {
    this.#out = out;
    this.#render = render;
  }

  /** Draws now, and again each second so that clocks move. */
  begin(): void {
    this.#out.write('\u001b[?25l');
    this.#draw();
    this.#clock = setInterval(() => this.changed(), 1_000);
  }

  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#draw();
    }, FRAME_MS);
  }

  /** A line that stays, above those that change. */
  print(text: string): void {
    this.#wipe();
    this.#out.write(`${text}\n`);
    this.#draw();
  }

  /** Draws the last time, or takes the lines away; the cursor is back behind them. */
  end(keep: boolean): void {
    clearTimeout(this.#timer);
    clearInterval(this.#clock);
    if (keep) this.#draw();
    else this.#wipe();
    this.#out.write('\u001b[?25h');
  }

  #draw(): void {
    const rows = Math.max(1, (this.#out.rows ?? 24) - 1);
    const columns = this.#out.columns ?? 80;
    const all = this.#render();
    // What scrolled out of sight cannot be overwritten: of too many lines the last ones stay.
    const lines = all.length > rows ? [`… ${all.length - rows + 1} more`, ...all.slice(all.length - rows + 1)] : all;
    this.#wipe();
    this.#out.write(lines.map((line) => `${clip(line, columns)}\n`).join(''));
    this.#drawn = lines.length;
  }

  #wipe(): void {
    if (this.#drawn > 0) this.#out.write(`\u001b[${this.#drawn}A\u001b[J`);
    this.#drawn = 0;
  }
}

/** A line that wraps would be two to go up by: it is cut, colours and all. */
function clip(line: string, columns: number): string {
  if (widthOf(line) < columns) return line;
  let kept = '';
  let width = 0;
  for (const [index, part] of line.split(ESCAPE).entries()) {
    // Behind each ESC a colour's code comes first; it takes no room.
    const code = index === 0 ? '' : (/^\[[0-9;]*m/.exec(part)?.[0] ?? '');
    if (index > 0) kept += ESCAPE + code;
    for (const character of part.slice(code.length)) {
      const next = widthOf(character);
      if (width + next >= columns - 1) return `${kept}…${ESCAPE}[0m`;
      kept += character;
      width += next;
    }
  }
  return kept;
}

/** A bar of `columns` columns for a share from 0 to 1. */
export function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * columns * 8);
  const full = Math.floor(eighths / 8);
  const rest = ' ▏▎▍▌▋▊▉'[eighths % 8] ?? '';
  return ('█'.repeat(full) + (full < columns && eighths % 8 > 0 ? rest : '')).padEnd(columns, '░');
}
