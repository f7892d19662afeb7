import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { expectReports, readReports } from '../../scripts/reports.mjs';
import { testRuns } from '../../scripts/test-runs.ts';

const root = join(import.meta.dirname, '../..');

describe('the gate', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'connecta-reports-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** What Jest reports of a runner, by the files of tests that passed. */
  const report = (name: string, files: readonly string[], status = 'passed') =>
    writeFile(
      join(folder, `${name}.json`),
      JSON.stringify({
        ...{ numPassedTests: status === 'passed' ? files.length : 0, numFailedTests: 0, numRuntimeErrorTestSuites: 0 },
        testResults: files.map((file) => ({ name: file, assertionResults: [{ status, fullName: `of ${file}` }] })),
      }),
    );

  test('tests every workspace that has tests, each in one run', async () => {
    // Given every Jest configuration there is, wherever it lies
    const ignored = /(^|\/)(node_modules|\.connecta|dist)(\/|$)/;
    const configs = globSync('**/jest.config.mjs', { cwd: root, exclude: (path) => ignored.test(path) });
    // When the runs are planned
    const runs = await testRuns(root);
    // Then each is in one of them
    const planned = runs.flatMap(({ projects }) => projects).toSorted();
    expect(planned).toEqual(configs.map((config) => join(root, dirname(config))).toSorted());
    expect(planned).toContain(join(root, 'conformance'));
    // And each file of the features is in one as well
    const [systems, timed] = runs.slice(-2).map(({ options }) => options.join(' '));
    expect(systems).toContain('--testPathIgnorePatterns /features/test/(chaos|faults)\\.');
    expect(timed).toContain('--testMatch **/test/(chaos|faults).test.ts');
    // And none of them takes a run without tests for a success
    expect(runs.flatMap(({ options }) => options)).not.toContain('--passWithNoTests');
  });

  test('is not passed by a runner that ran nothing', async () => {
    // Given a whole run of two runners
    expectReports([{ projects: ['/r/packages/a', '/r/packages/b'] }, { projects: ['/r/features'] }], folder);
    // When one of them leaves no report, and one does not get to a workspace
    await report('workspaces', ['/r/packages/a/src/a.test.ts', '/r/packages/bc/src/c.test.ts']);
    // Then the run is not complete, whatever the others passed
    const { idle, complete, line } = readReports(folder);
    expect({ idle, complete, line }).toEqual({
      idle: ['/r/packages/b', '/r/features'],
      complete: false,
      line: '2 passed, 0 failed',
    });
    // And tests that were only skipped are no tests that ran, and are named
    await report('features', ['/r/features/test/x.test.ts'], 'pending');
    expect(readReports(folder)).toMatchObject({
      idle: ['/r/packages/b', '/r/features'],
      skipped: ['of /r/features/test/x.test.ts'],
    });
  });

  test('lets a part of the tests lie in one runner only', async () => {
    // Given no whole run, when one runner passes, then that is enough
    await report('features', ['/r/features/test/x.test.ts']);
    expect(readReports(folder).complete).toBe(true);
    // And nothing at all is not
    await rm(join(folder, 'features.json'));
    expect(await readdir(folder)).toEqual([]);
    expect(readReports(folder).complete).toBe(false);
  });
});
