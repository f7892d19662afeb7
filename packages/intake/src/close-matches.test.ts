import { expect, test } from '@jest/globals';
import { closeMatches } from './close-matches.ts';

const tasks = ['generic/add-2', 'generic/add-20', 'generic/times-2', 'cu/gzip'];

test('a typing error leads to what was meant, the closest first', () => {
  expect(closeMatches('generic/ad-2', tasks)).toEqual(['generic/add-2', 'generic/add-20']);
  expect(closeMatches('cu/gzp', tasks)).toEqual(['cu/gzip']);
});

test('a word that is like nothing leads nowhere', () => {
  expect(closeMatches('x', tasks)).toEqual([]);
  expect(closeMatches('completely-different/thing', tasks)).toEqual([]);
});
