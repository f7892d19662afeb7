import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** One start of Jest. */
export interface TestRun {
  readonly name: string;
  readonly cwd: string;
  /** The workspaces that it tests. */
  readonly projects: readonly string[];
  readonly options: readonly string[];
}

interface Project {
  readonly dir: string;
  /** Coverage bounds are a matter of a whole run, so such a project runs by itself. */
  readonly hasBounds: boolean;
}

/** Workspaces whose tests are about whole processes and systems: most of their time is waiting. */
const SYSTEMS: readonly string[] = ['conformance', 'features'];
/** Tests that measure how long a system takes to recover: they have the machine for themselves. */
const TIMED = { workspace: 'features', files: ['chaos', 'faults'] } as const;

/** What has to run for every workspace to be tested: each one with a Jest configuration is in exactly one run. */
export async function testRuns(root: string): Promise<readonly TestRun[]> {
  const projects = await findProjects(root);
  const isSystem = ({ dir }: Project): boolean => SYSTEMS.includes(basename(dir));
  const together = projects.filter((project) => !project.hasBounds && !isSystem(project)).map(({ dir }) => dir);
  const alone = projects.filter((project) => project.hasBounds && !isSystem(project));
  const systems = projects.filter(isSystem).map(({ dir }) => dir);
  const timed = TIMED.files.join('|');
  return [
    {
      ...{ name: 'workspaces', cwd: root, projects: together },
      options: ['--maxWorkers=2', '--workerIdleMemoryLimit=1GB', '--projects', ...together],
    },
    ...alone.map(({ dir }) => ({ name: basename(dir), cwd: dir, projects: [dir], options: ['--maxWorkers=2'] })),
    {
      ...{ name: 'systems', cwd: root, projects: systems },
      options: [
        ...[
          '--maxWorkers=2',
          '--maxConcurrency=6',
          '--testPathIgnorePatterns',
          `/${TIMED.workspace}/test/(${timed})\\.`,
        ],
        ...['--projects', ...systems],
      ],
    },
    {
      ...{ name: 'timed', cwd: join(root, TIMED.workspace), projects: [] },
      options: ['--runInBand', '--testMatch', `**/test/(${timed}).test.ts`],
    },
  ];
}

function findProjects(root: string): Promise<readonly Project[]> {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] };
  const patterns = workspaces.map((workspace) => `${workspace}/jest.config.mjs`);
  const configs = globSync(patterns, { cwd: root }).map((config) => join(root, config));
  return Promise.all(
    configs.map(async (config) => {
      const { default: settings } = (await import(config)) as { default: { coverageThreshold?: unknown } };
      return { dir: dirname(config), hasBounds: settings.coverageThreshold !== undefined };
    }),
  );
}
