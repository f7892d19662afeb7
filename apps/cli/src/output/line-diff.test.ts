import { expect, test } from '@jest/globals';
import { diffLines, diffText } from './line-diff.ts';
import { styleOf } from './style.ts';

const style = styleOf(false);

test('only what differs is taken away and added', () => {
  expect(diffText('a\nb\nc', 'a\nx\nc', style)).toBe('  a\n- b\n+ x\n  c');
  expect(diffText('a\n', 'a\n', style)).toBe('');
  expect(diffText('', 'a\nb\n', style)).toBe('+ a\n+ b');
});

test('far from a change lines are left out', () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  const text = diffText(lines.join('\n'), lines.with(15, 'other').join('\n'), style);
  expect(text.split('\n')).toHaveLength(10);
  expect(text).toContain('- line 15\n+ other');
});

test('applying a comparison gives the second text, whatever both are', () => {
  const words = ['a', 'b', 'c'];
  for (let seed = 0; seed < 200; seed += 1) {
    const make = (factor: number): string[] =>
      Array.from({ length: (seed * factor) % 9 }, (_, index) => words[((seed * factor * (index + 1)) % 7) % 3] ?? '');
    const [before, after] = [make(5).join('\n'), make(11).join('\n')];
    const lines = diffLines(before, after);
    expect(
      lines
        .filter(({ kind }) => kind !== 'new')
        .map(({ text }) => text)
        .join('\n'),
    ).toBe(before);
    expect(
      lines
        .filter(({ kind }) => kind !== 'gone')
        .map(({ text }) => text)
        .join('\n'),
    ).toBe(after);
  }
});
