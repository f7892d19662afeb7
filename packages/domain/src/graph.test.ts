import { describe, expect, test } from '@jest/globals';
import { findCycle, sortTopologically } from './graph.ts';

const graph = (edges: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(edges));

describe('findCycle', () => {
  test('finds none in a diamond', () => {
    expect(findCycle(graph({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] }))).toBeNull();
  });

  test('names a cycle from its first step back to it', () => {
    expect(findCycle(graph({ start: [], a: ['start', 'c'], b: ['a'], c: ['b'] }))).toEqual(['a', 'c', 'b', 'a']);
  });

  test('sees a step that needs itself', () => {
    expect(findCycle(graph({ a: ['a'] }))).toEqual(['a', 'a']);
  });

  test('passes over needs that name no step', () => {
    expect(findCycle(graph({ a: ['nowhere'] }))).toBeNull();
  });

  test('does not overflow on ten thousand steps in a row', () => {
    const chain = new Map(Array.from({ length: 10_000 }, (_, i) => [`s${i}`, i === 0 ? [] : [`s${i - 1}`]] as const));
    expect(findCycle(chain)).toBeNull();
  });
});

describe('sortTopologically', () => {
  test('puts every step behind what it needs and keeps the rest in place', () => {
    expect(sortTopologically(graph({ d: ['b', 'c'], b: ['a'], c: ['a'], a: [], e: [] }))).toEqual([
      'a',
      'e',
      'b',
      'c',
      'd',
    ]);
  });

  test('leaves out what never becomes free', () => {
    expect(sortTopologically(graph({ a: ['a'], b: [] }))).toEqual(['b']);
  });

  test('passes over needs that name no step', () => {
    expect(sortTopologically(graph({ a: ['nowhere'] }))).toEqual([]);
  });
});
