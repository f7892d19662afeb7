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

/** What stays apart from the other workspaces, and how: whole processes, and whole systems, watched by the clock. */
const APART: Readonly<Record<string, readonly string[]>> = {
  conformance: ['--maxWorkers=1'],
  features: ['--runInBand'],
};

/** What has to run for every workspace to be tested: each one with a Jest configuration is in exactly one run. */
export async function testRuns(root: string): Promise<readonly TestRun[]> {
  const projects = await findProjects(root);
  const isApart = ({ dir }: Project): boolean => basename(dir) in APART;
  const together = projects.filter((project) => !project.hasBounds && !isApart(project)).map(({ dir }) => dir);
  const alone = projects.filter((project) => project.hasBounds && !isApart(project));
  const apart = projects.filter(isApart);
  const single = ({ dir }: Project, options: readonly string[]): TestRun => ({
    ...{ name: basename(dir), cwd: dir, projects: [dir], options },
  });
  return [
    {
      name: 'workspaces',
      cwd: root,
      projects: together,
      options: ['--maxWorkers=2', '--workerIdleMemoryLimit=1GB', '--projects', ...together],
    },
    ...alone.map((project) => single(project, ['--maxWorkers=2'])),
    ...apart.map((project) => single(project, APART[basename(project.dir)] ?? [])),
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
