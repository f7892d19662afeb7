import { describe, expect, test } from '@jest/globals';
import { cellValue, csvOrder, parseCsv } from './csv.ts';

const orders = (text: string) => {
  const { columns, rows } = parseCsv(text);
  return rows.map((row) => csvOrder(columns, row));
};

describe('a CSV file', () => {
  test('has its quotes, doubled quotes and line breaks read as RFC 4180 says', () => {
    expect(parseCsv('a,b\r\n"x, ""y""","1\n2"\r\n')).toEqual({
      columns: ['a', 'b'],
      rows: [{ line: 2, cells: ['x, "y"', '1\n2'] }],
    });
  });

  test('may be separated by semicolons or tabs, and begin with a byte order mark', () => {
    expect(parseCsv('\ufeffa;b\n1,5;2').rows).toEqual([{ line: 2, cells: ['1,5', '2'] }]);
    expect(parseCsv('a\tb\n1\t2').rows).toEqual([{ line: 2, cells: ['1', '2'] }]);
  });

  test('is told of by line when a record has too few fields or a quote is never closed', () => {
    expect(() => parseCsv('a,b\n1,2\n3\n')).toThrow('Line 3 has 1 fields; there are 2 columns.');
    expect(() => parseCsv('a\n"1\n2\n')).toThrow('The quote that opens in line 2 is never closed.');
    expect(() => parseCsv('')).toThrow('empty');
    expect(() => parseCsv('a,a\n')).toThrow("'a' is there twice");
  });

  test('skips empty lines and goes on counting', () => {
    expect(parseCsv('a\n\n1\n').rows).toEqual([{ line: 3, cells: ['1'] }]);
  });
});

describe('a line as an order', () => {
  test('has its columns as fields of the input, a dot leads into a field', () => {
    expect(orders('name,size.width,size.height\nx,1,2')).toEqual([
      { line: 2, input: { name: 'x', size: { width: 1, height: 2 } } },
    ]);
  });

  test('has one column input as the whole input, also as a file', () => {
    expect(orders('input\n5\n@photo.jpg')).toEqual([
      { line: 2, input: 5 },
      { line: 3, file: 'photo.jpg' },
    ]);
  });

  test('takes parameters and a file from their own columns and leaves empty cells out', () => {
    expect(orders('file,params.review\na.png,true\nb.png,')).toEqual([
      { line: 2, file: 'a.png', params: { review: true } },
      { line: 3, file: 'b.png' },
    ]);
  });

  test('refuses an input that is given in two ways', () => {
    expect(() => orders('input,x\n1,2')).toThrow('Line 2 has its input in several ways');
  });

  test('may call a field __proto__ and harms nothing', () => {
    const [order] = orders('__proto__.polluted\n1');
    expect(Object.hasOwn(order?.input as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each([
    ['5', 5],
    ['-1.5', -1.5],
    ['007', '007'],
    ['1e400', '1e400'],
    ['2026-11-21', '2026-11-21'],
    ['true', true],
    ['null', null],
    ['{"a":1}', { a: 1 }],
    ['[x]', '[x]'],
    ['plain', 'plain'],
  ])('reads the cell %s as %j', (cell, value) => expect(cellValue(cell)).toEqual(value));
});
