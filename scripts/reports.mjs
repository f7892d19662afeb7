import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where each test runner leaves its own JSON report. */
export const reportsFolder = fileURLToPath(new URL('../.connecta/test-reports', import.meta.url));

/**
 * The sum of all reports as a line. It is complete only if something ran and nothing failed; a suite that did not even
 * load counts as one failure.
 */
export function readReports() {
  const files = existsSync(reportsFolder) ? readdirSync(reportsFolder).filter((file) => file.endsWith('.json')) : [];
  const reports = files.map((file) => JSON.parse(readFileSync(join(reportsFolder, file), 'utf8')));
  const sum = (count) => reports.reduce((total, report) => total + count(report), 0);
  const passed = sum((report) => report.numPassedTests);
  const failed = sum((report) => report.numFailedTests + report.numRuntimeErrorTestSuites);
  return { line: `${passed} passed, ${failed} failed`, complete: passed > 0 && failed === 0 };
}
