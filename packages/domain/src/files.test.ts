import { expect, test } from '@jest/globals';
import { filesBeyond } from './files.ts';

const file = (path: string): { file: { share: string; path: string } } => ({ file: { share: 'lab', path } });

test('files that stand in what was given are no news, wherever they stand; others are told once', () => {
  expect(filesBeyond([1, { text: 'x' }], [])).toEqual([]);
  expect(filesBeyond([file('a'), [file('b')]], [{ deep: [file('b')] }, file('a')])).toEqual([]);
  expect(filesBeyond([[file('a'), file('c'), { again: file('c') }]], [file('a'), null])).toEqual([file('c').file]);
  expect(filesBeyond([{ file: { share: 'la', path: 'b' } }], [{ file: { share: 'l', path: 'ab' } }])).toHaveLength(1);
});
