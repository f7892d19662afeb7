import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * Files that may be longer than a comfortable room, by name, each with its reason. Everything else keeps to 250 lines
 * and 60 lines a function (comments and blank lines not counted).
 */
// A package's index grows with the package: one line a name.
const longFiles = ['packages/store/src/index.ts'];

/** Configuration files of tools, which demand a default export. */
const toolConfigs = ['**/*.config.{ts,mjs}', '**/jest.*.mjs', '**/.dependency-cruiser.mjs'];

/** The one file per process that reads its environment, the entry points, and what runs outside of the product. */
const environmentReaders = [
  '**/config.ts',
  '**/main.ts',
  'workers/*/src/{api,runner,inbox}.ts',
  '**/prisma.config.ts',
  'scripts/**',
  '**/bench/**',
  'examples/**',
  '**/*.test.ts',
  '**/test/**',
  'features/**',
];

const tests = ['**/*.test.ts', '**/test/**/*.ts', 'features/**/*.ts'];

const forbiddenSyntax = [
  { selector: 'ExportAllDeclaration', message: 'Name what is exported: `export *` hides what a package offers.' },
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals or a const object.' },
  {
    selector: 'Program > VariableDeclaration[kind="let"]',
    message: 'State of a module outlives and couples its users: put it into an object that somebody owns.',
  },
];

const environmentMessage = 'The environment is read in one file per process (config.ts); pass what is needed.';

export default tseslint.config(
  {
    ignores: [
      '**/generated/**',
      '**/node_modules/**',
      '**/.connecta/**',
      '**/coverage/**',
      '**/.angular/**',
      '**/dist/**',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly', fetch: 'readonly' },
    },
    rules: {
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', ...forbiddenSyntax],
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: environmentMessage }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // The compiler does not forget a narrowing at an `await`: whether we were stopped meanwhile looks "always false".
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // `void | Promise<void>` says that a handler may or may not take its time.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      // A branded id's parser names its brand once, in what it returns.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // A port's method returns a promise whether or not this adapter has to wait.
      '@typescript-eslint/require-await': 'off',
      // Cheap where it matters, and `void promise` reads worse than the handler it would replace.
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, properties: false } },
      ],
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        Blob: 'readonly',
        clearInterval: 'readonly',
        clearTimeout: 'readonly',
        crypto: 'readonly',
        FormData: 'readonly',
        performance: 'readonly',
        setInterval: 'readonly',
        setTimeout: 'readonly',
        WebAssembly: 'readonly',
      },
    },
  },
  {
    files: tests,
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Supertest's and Jest's bodies are `any` by nature.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'no-restricted-syntax': ['error', ...forbiddenSyntax.filter(({ selector }) => !selector.startsWith('Program'))],
    },
  },
  { files: ['**/*.config.ts'], extends: [tseslint.configs.disableTypeChecked] },
  { files: toolConfigs, rules: { 'no-restricted-exports': 'off' } },
  { files: environmentReaders, rules: { 'no-restricted-properties': 'off' } },
  ...(longFiles.length > 0
    ? [{ files: longFiles, rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' } }]
    : []),
);
