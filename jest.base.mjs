import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Every workspace's test runner: real ES modules, TypeScript through swc, real services shared by all test files. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  globalSetup: here('./jest.global-setup.mjs'),
  globalTeardown: here('./jest.global-teardown.mjs'),
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript' },
          // Or else `with { type: 'json' }` is lost on the way.
          experimental: { keepImportAttributes: true },
        },
      },
    ],
  },
  testTimeout: 120_000,
};
