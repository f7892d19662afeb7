import { expect, test } from '@jest/globals';
import { cut, harmless, styleOf, widthOf } from './style.ts';
import { table } from './table.ts';

const style = styleOf(false);

test('a table puts each column under its head', () => {
  const text = table(
    [{ title: 'ID' }, { title: 'STATE' }],
    [
      ['1', 'completed'],
      ['22', 'failed'],
    ],
    { width: 80, style },
  );
  expect(text).toBe('ID  STATE\n1   completed\n22  failed');
});

test('a table that is too wide takes from its widest column, and never from one to keep', () => {
  const columns = [{ title: 'ID', keep: true }, { title: 'TEXT' }];
  const text = table(columns, [['0123456789', 'a long text that does not fit']], { width: 24, style });
  expect(text.split('\n')[1]).toBe('0123456789  a long text…');
  for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(24);
});

test('a table paints a cell after it was cut, so colours take no room', () => {
  const paint = (text: string) => `\u001b[31m${text}\u001b[39m`;
  const text = table([{ title: 'A' }, { title: 'B' }], [[{ text: 'x', paint }, 'y']], { width: 80, style });
  expect(text.split('\n')[1]).toBe('\u001b[31mx\u001b[39m  y');
});

test('a wide character counts as two columns, and is not cut in half', () => {
  expect(widthOf('日本')).toBe(4);
  expect(cut('日本語', 5)).toBe('日本…');
});

test('what would move the cursor is shown as a dot', () => {
  expect(harmless('a\u001b[2Jb\nc')).toBe('a·[2Jb c');
});

test('without colours nothing is painted', () => {
  expect(styleOf(false).bad('x')).toBe('x');
  expect(styleOf(true).bad('x')).toContain('\u001b[31m');
});
