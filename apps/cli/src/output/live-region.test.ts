import { expect, test } from '@jest/globals';
import { LiveRegion, bar } from './live-region.ts';
import { widthOf } from './style.ts';

function terminal(columns: number, rows: number) {
  const written: string[] = [];
  return { written, stream: { write: (text: string) => written.push(text), isTTY: true, columns, rows } };
}

test('a bar is always as wide as it was asked for', () => {
  for (const share of [-1, 0, 0.001, 0.33, 0.5, 0.999, 1, 2]) expect(widthOf(bar(share, 10))).toBe(10);
  expect(bar(1, 4)).toBe('████');
});

test('a line that would wrap is cut, so that the next drawing covers it', () => {
  const { written, stream } = terminal(10, 24);
  const region = new LiveRegion(stream, () => ['\u001b[31ma line that is too long\u001b[39m']);
  region.begin();
  region.end(false);
  expect(widthOf((written[1] ?? '').replace('\n', ''))).toBeLessThan(10);
  expect(written.join('')).toContain('\u001b[1A\u001b[J');
  expect(written.at(-1)).toBe('\u001b[?25h');
});

test('of more lines than the terminal has the last ones are drawn', () => {
  const { written, stream } = terminal(40, 5);
  const region = new LiveRegion(stream, () => Array.from({ length: 9 }, (_, index) => `line ${index}`));
  region.begin();
  region.end(true);
  expect(written[1]).toBe('… 6 more\nline 6\nline 7\nline 8\n');
});

test('a line that stays is written above those that change', () => {
  const { written, stream } = terminal(40, 5);
  const region = new LiveRegion(stream, () => ['moving']);
  region.begin();
  region.print('staying');
  region.end(true);
  expect(written.slice(2, 5)).toEqual(['\u001b[1A\u001b[J', 'staying\n', 'moving\n']);
});
