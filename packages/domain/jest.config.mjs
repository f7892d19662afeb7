import base from '../../jest.base.mjs';

/** Pure decisions: every branch is covered, or the suite fails. */
export default {
  ...base,
  collectCoverage: true,
  coverageProvider: 'v8',
  collectCoverageFrom: ['src/**/*.ts', '!src/**/*.test.ts', '!src/index.ts'],
  coverageThreshold: { global: { branches: 100, functions: 100, lines: 100 } },
};
