import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where each test runner leaves its own JSON report. */
export const reportsFolder = fileURLToPath(new URL('../.connecta/test-reports', import.meta.url));

/** Lists the workspaces that a whole run tests; it has no name that ends like a report's. */
const EXPECTED = 'expected';

/**
 * Says what a whole run is: of every workspace of these runs a test must pass. Without it a part of the tests was asked
 * for.
 *
 * @param {readonly { readonly projects: readonly string[] }[]} runs
 */
export function expectReports(runs, folder = reportsFolder) {
  writeFileSync(join(folder, EXPECTED), JSON.stringify(runs.flatMap(({ projects }) => projects)));
}

/**
 * The sum of all reports as a line. It is complete only if something ran and nothing failed, and in a whole run nothing
 * was left out; a suite that did not even load counts as one failure. `idle` are the workspaces without a test that
 * passed, `skipped` the titles of tests that were passed over.
 *
 * @returns {{ line: string, complete: boolean, skipped: string[], idle: string[] }}
 */
export function readReports(folder = reportsFolder) {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];
  const reports = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const sum = (count) => reports.reduce((total, report) => total + count(report), 0);
  const passed = sum((report) => report.numPassedTests);
  const failed = sum((report) => report.numFailedTests + report.numRuntimeErrorTestSuites);
  const results = reports.flatMap((report) => report.testResults ?? []);
  const expected = join(folder, EXPECTED);
  const projects = existsSync(expected) ? JSON.parse(readFileSync(expected, 'utf8')) : [];
  const idle = projects.filter((dir) => !results.some((result) => isIn(dir, result) && hasPassed(result)));
  const skipped = results.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'pending').map(({ fullName }) => fullName),
  );
  const complete = passed > 0 && failed === 0 && idle.length === 0;
  return { line: `${passed} passed, ${failed} failed`, complete, skipped, idle };
}

const isIn = (dir, { name }) => name.startsWith(dir + sep);
const hasPassed = ({ assertionResults }) => assertionResults.some(({ status }) => status === 'passed');
