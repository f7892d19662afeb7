/** The walls between the packages: imports point down L3 → L2 → L1 → L0, and each vendor stays in its one package. */
const layers = [['contracts'], ['domain', 'runtime'], ['store', 'queue', 'blobs'], ['intake', 'worker-kit']];

const source = (names) => `^packages/(${names.join('|')})/`;
const tests = '(\\.test\\.ts$|/test/)';
const stages = ['plan', 'dispatch', 'advance', 'resolve', 'wait', 'timers', 'schedule', 'recover', 'retain', 'notify'];

const forbidden = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** Only these folders may import that vendor; `embedded` and `bench` stand outside of the product. */
const onlyIn = (folders, vendor, modules) =>
  forbidden(
    `${vendor}-stays-home`,
    `${vendor} is known to one package, so that it can be replaced there`,
    { pathNot: `^(${folders.join('|')})/` },
    { path: `node_modules/(${modules.join('|')})(/|$)` },
  );

export default {
  forbidden: [
    forbidden('no-cycles', 'what needs each other is one thing, or misses a third', {}, { circular: true }),
    forbidden('resolvable', 'an import that leads nowhere', {}, { couldNotResolve: true }),
    forbidden(
      'declared',
      'a package lists what it imports',
      { pathNot: tests },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),

    ...layers
      .slice(1)
      .map((_, below) =>
        forbidden(
          `layer-${below}-points-down`,
          'imports point down the layers only',
          { path: source(layers[below]), pathNot: tests },
          { path: source(layers.slice(below + 1).flat()) },
        ),
      ),
    ...layers.flatMap((names, level) =>
      names.length < 2
        ? []
        : [
            forbidden(
              `layer-${level}-keeps-apart`,
              'packages of one layer do not know each other',
              { path: '^packages/(' + names.join('|') + ')/', pathNot: tests },
              { path: source(names), pathNot: '^packages/$1/' },
            ),
          ],
    ),
    forbidden(
      'packages-know-no-process',
      'apps and workers stand on packages, never the other way round',
      { path: '^packages/' },
      { path: '^(apps|workers|bench)/' },
    ),
    forbidden(
      'processes-keep-apart',
      'processes talk over the wire',
      { path: '^((apps|workers)/[^/]+)/' },
      { path: '^(apps|workers)/', pathNot: '^$1/' },
    ),
    forbidden(
      'embedded-is-for-development',
      'production code starts nothing; embedded services are for tests, the quick start and measurements',
      { path: '^(packages|apps|workers)/', pathNot: `^packages/embedded/|${tests}` },
      { path: '^packages/embedded/' },
    ),
    forbidden(
      'embedded-stands-alone',
      'every package tests with it, so it can stand on none of them',
      { path: '^packages/embedded/' },
      { path: '^packages/', pathNot: '^packages/embedded/' },
    ),
    forbidden(
      'workers-have-no-store',
      "a worker never sees the orchestrator's database or its decisions",
      { path: '^(workers|packages/worker-kit)/' },
      { path: '^packages/(store|domain|intake)/' },
    ),
    forbidden(
      'no-deep-imports',
      'a package offers what its index names',
      { path: '^(packages|apps|workers)/([^/]+)/' },
      { path: '^packages/[^/]+/(src|test)/', pathNot: '^packages/$2/|^packages/[^/]+/src/index\\.ts$' },
    ),
    forbidden(
      'stages-keep-apart',
      "the orchestrator's stages meet in the database, never in an import",
      { path: `^apps/orchestrator/src/(${stages.join('|')})/` },
      { path: `^apps/orchestrator/src/(${stages.join('|')})/`, pathNot: '^apps/orchestrator/src/$1/' },
    ),
    forbidden(
      'pure-decisions',
      'the domain decides from values alone',
      { path: '^packages/(contracts|domain)/src/', pathNot: tests },
      { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    ),

    onlyIn(['packages/store', 'packages/worker-kit'], 'prisma', ['@prisma/[^/]+', 'prisma']),
    onlyIn(
      ['packages/(store|worker-kit|queue|embedded)', 'bench', 'tools', 'packages/[^/]+/test', 'apps/[^/]+/test'],
      'pg',
      ['pg'],
    ),
    onlyIn(['packages/queue', 'bench'], 'bullmq', ['bullmq', 'ioredis']),
    onlyIn(['packages/blobs'], 'azure', ['@azure/[^/]+']),
    forbidden(
      'profile-database-only',
      "the worker kit's generated client is its own",
      { pathNot: '^packages/worker-kit/' },
      { path: '^packages/worker-kit/src/generated/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: {
      path: '^(apps|packages|workers)/[^/]+/(dist|coverage|\\.angular|src/generated/prisma/(internal|models))/',
    },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    cache: false,
  },
};
