import type { Command } from 'commander';
import { stringify } from 'yaml';
import { EXIT } from '../failures.ts';
import { diffText } from '../output/line-diff.ts';
import type { Style } from '../output/style.ts';
import { spanText } from '../output/value-text.ts';
import { runCase, type CaseReport } from '../pipeline-test/run-case.ts';
import { readCases, type TestCase } from '../pipeline-test/test-case.ts';
import { openTestSpace, type TestSpace } from '../pipeline-test/test-space.ts';
import type { Session } from '../session.ts';
import { readWorkflowFile } from '../workflows/workflow-file.ts';
import { countOf } from './run.ts';
import type { CommandTools } from './tools.ts';

interface TestOptions {
  cases: string;
  update?: boolean;
  client?: string;
  atOnce: number;
}

/** `connecta test`: a pipeline on recorded inputs, compared with recorded results. */
export function addTest(program: Command, tools: CommandTools): void {
  program
    .command('test')
    .description('run a workflow file on recorded inputs, in a space of its own, and compare what comes out')
    .argument('<workflow>', 'a YAML or JSON file')
    .requiredOption('--cases <dir>', 'a folder with a folder for each case (docs/cli.md)')
    .option('--update', 'record what comes out as what is expected')
    .option('--client <name>', 'try it as this client, not as one made for the test')
    .option('--at-once <n>', 'cases that run at a time', countOf, 4)
    .action((path: string, options: TestOptions) => test(path, options, tools));
}

async function test(path: string, options: TestOptions, { session, ended }: CommandTools): Promise<void> {
  const { print } = session;
  const file = await readWorkflowFile(path, session.around);
  const cases = await readCases(options.cases, session.around.cwd);
  const space = await openTestSpace(session.api, file, { client: options.client });
  try {
    const reports = await runAll(session, cases, { space, update: options.update ?? false, atOnce: options.atOnce });
    if (print.format !== 'text') print.data(reports, () => '');
    else print.progress(summaryText(reports));
    ended(reports.every(({ verdict }) => verdict === 'same' || verdict === 'recorded') ? EXIT.ok : EXIT.failed);
  } finally {
    await space.close().catch((error: unknown) => {
      print.note(`The workflow '${space.workflow}' could not be deleted: ${(error as Error).message}`);
    });
  }
}

async function runAll(
  session: Session,
  cases: readonly TestCase[],
  { space, update, atOnce }: { space: TestSpace; update: boolean; atOnce: number },
): Promise<CaseReport[]> {
  const reports: CaseReport[] = [];
  const toRun = [...cases];
  const runSome = async (): Promise<void> => {
    for (let next = toRun.shift(); next; next = toRun.shift()) {
      const report = await runCase(session, next, { space, update });
      reports.push(report);
      session.print.progress(reportText(report, session.print.style));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, runSome));
  return reports.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function reportText(report: CaseReport, style: Style): string {
  const { name, verdict, tookMs, orderId, differences, expected, actual } = report;
  const marks = {
    same: style.good('✓'),
    recorded: style.warn('●'),
    different: style.bad('✗'),
    'not recorded': style.bad('?'),
  };
  const head = `${marks[verdict]} ${name} ${style.faint(`${verdict}, ${spanText(tookMs)}, order ${orderId}`)}`;
  if (verdict === 'not recorded') return `${head}\n  nothing is expected yet: --update records what came out`;
  if (differences.length === 0) return head;
  const diff = diffText(yamlOf(expected), yamlOf(actual), style);
  return [
    head,
    ...differences.map(({ path, message }) => `  ${style.warn(path === '' ? 'the outcome' : path)} ${message}`),
    ...(diff === '' ? [] : [diff.replace(/^/gm, '    ')]),
  ].join('\n');
}

/** Without the file names, which only what is expected has. */
const yamlOf = (value: unknown): string =>
  stringify(value, (key, field: unknown) => (key === 'file' ? undefined : field), { lineWidth: 0 });

function summaryText(reports: readonly CaseReport[]): string {
  const counts = Map.groupBy(reports, ({ verdict }) => verdict);
  return `${reports.length} cases: ${[...counts].map(([verdict, list]) => `${list.length} ${verdict}`).join(', ')}`;
}
