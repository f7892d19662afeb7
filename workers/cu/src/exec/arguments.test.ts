import { describe, expect, test } from '@jest/globals';
import { ARGUMENT_PATTERN, fillArguments } from './arguments.ts';

const fill = (template: string[], params = {}): string[] =>
  fillArguments(template, { input: '/w/in', output: '/w/out', id: 'job-1', params });

describe('an argument', () => {
  test('is filled with paths, id and parameters, and stays one argument', () => {
    const given = ['{input}', '--to={output}', '-n', '{params.title}', 'x{id}y', '{params.level}'];
    expect(fill(given, { title: 'two words', level: -3 })).toEqual([
      '/w/in',
      '--to=/w/out',
      '-n',
      'two words',
      'xjob-1y',
      '-3',
    ]);
  });

  test('has braces where they are doubled', () => {
    expect(fill(['{{input}}', '{{{input}}}'])).toEqual(['{input}', '{/w/in}']);
  });

  test.each([
    ['is missing', {}],
    ['looks like an option', { name: '-rf' }],
    ['leads elsewhere', { name: '../secret' }],
    ['is a folder', { name: '..' }],
    ['is an absolute path', { name: '/etc/passwd' }],
    ['has a line break', { name: 'a\nb' }],
    ['has a zero byte', { name: 'a\0b' }],
    ['is an object', { name: { a: 1 } }],
    ['is null', { name: null }],
  ])('refuses a parameter that %s', (_why, params) => {
    expect(() => fill(['{params.name}'], params)).toThrow(expect.objectContaining({ code: 'bad_params' }));
  });

  test('does not see what every object inherits', () => {
    expect(() => fill(['{params.constructor}'])).toThrow('is missing');
  });

  test('has a pattern that refuses unknown placeholders when a profile is saved', () => {
    const pattern = new RegExp(ARGUMENT_PATTERN, 'u');
    for (const good of ['', '-k', '{input}', 'a{params.x_1}b', '{{}}']) expect(pattern.test(good)).toBe(true);
    for (const bad of ['{ouput}', '{', '}', '{params.}', 'a\0']) expect(pattern.test(bad)).toBe(false);
  });
});
