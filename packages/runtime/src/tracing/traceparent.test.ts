import { describe, expect, test } from '@jest/globals';
import { continueTrace, formatTraceparent } from './traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('traceparent', () => {
  test('a valid one is continued with a span of our own', () => {
    const trace = continueTrace(`00-${TRACE}-${SPAN}-00`);
    expect(trace).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, sampled: false });
    expect(trace.spanId).not.toBe(SPAN);
    expect(formatTraceparent(trace)).toBe(`00-${TRACE}-${trace.spanId}-00`);
  });

  test('a later version may say more', () => {
    expect(continueTrace(`01-${TRACE}-${SPAN}-01-more`).traceId).toBe(TRACE);
  });

  test.each([
    undefined,
    '',
    `00-${TRACE}-${SPAN}`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  ])('anything else (%s) begins a new trace', (header) => {
    const trace = continueTrace(header);
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace.traceId).not.toBe(TRACE);
    expect(trace).not.toHaveProperty('parentSpanId');
  });
});
