import { stripVTControlCharacters, styleText } from 'node:util';

/** Text in colours, or as it is. */
export interface Style {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly active: (text: string) => string;
}

/** The style of a terminal; without colours every text stays as it is. */
export function styleOf(colours: boolean): Style {
  const painted =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      colours ? styleText(format, text, { validateStream: false }) : text;
  return {
    strong: painted('bold'),
    faint: painted('dim'),
    good: painted('green'),
    bad: painted('red'),
    warn: painted('yellow'),
    active: painted('cyan'),
  };
}

/** A state of an order, a job or a check in its colour. */
export function paintState(style: Style, state: string): string {
  return style[STATE_STYLES[state] ?? 'faint'](state);
}

const STATE_STYLES: Readonly<Record<string, keyof Style>> = {
  completed: 'good',
  ready: 'good',
  fired: 'good',
  ok: 'good',
  failed: 'bad',
  error: 'bad',
  lost: 'bad',
  missed: 'bad',
  cancelled: 'warn',
  blocked: 'warn',
  waiting: 'warn',
  draining: 'warn',
  paused: 'warn',
  started: 'active',
  active: 'active',
};

/** How many columns a text takes: without its colours, wide characters counted twice. */
export function widthOf(text: string): number {
  const plain = stripVTControlCharacters(text);
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(plain)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const WIDE = /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60]/u;

/** Shortens a plain text to a number of columns; a `…` tells that something is missing. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) {
    const next = WIDE.test(segment) ? 2 : 1;
    if (width + next > columns - 1) break;
    kept += segment;
    width += next;
  }
  return `${kept}…`;
}

/** Control characters would move the cursor, or worse: a value from elsewhere is shown without them. */
export function harmless(text: string): string {
  return text.replace(/\p{Cc}/gu, (c) => (c === '\n' || c === '\t' ? ' ' : '·'));
}
