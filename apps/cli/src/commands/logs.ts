import type { Command } from 'commander';
import type { Api } from '../api/api.ts';
import { problemOf } from '../api/api.ts';
import type { Job, LogLine, Page } from '../api/shapes.ts';
import { CliError, EXIT } from '../failures.ts';
import { findJobs } from '../orders/find-jobs.ts';
import { findOrderId } from '../orders/find-order.ts';
import { messagesOf } from '../orders/order-events.ts';
import { harmless, type Style } from '../output/style.ts';
import { shortValue } from '../output/value-text.ts';
import type { Session } from '../session.ts';
import { ORDER, revisionOf, type CommandTools } from './tools.ts';

interface LogOptions {
  step?: string;
  follow?: boolean;
  attempt?: number;
}

interface JobLine extends LogLine {
  step: string;
  item: number;
}

/** `connecta logs`: what the functions of an order logged. */
export function addLogs(program: Command, tools: CommandTools): void {
  program
    .command('logs')
    .description('what the functions of an order logged')
    .argument('<order>', ORDER)
    .option('--step <step>', 'of this step alone; step[3] for one item')
    .option('--attempt <n>', 'of this attempt alone', revisionOf)
    .option('-f, --follow', 'go on until the jobs have ended')
    .action((order: string, options: LogOptions) => logs(order, options, tools));
}

async function logs(text: string, options: LogOptions, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const id = await findOrderId(api, text);
  const jobs = (await findJobs(api, id, options.step)).filter(({ attempt }) => attempt > 0);
  const named = new Set(jobs.map(({ step }) => step)).size > 1;
  if (options.follow) {
    await followAll(session, { id, jobs, options, show: (line) => showLine(session, line, named) });
    return;
  }
  const lines = (await Promise.all(jobs.map((job) => linesOf(api, id, job, options)))).flat();
  lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.number - b.number));
  print.data(
    lines,
    (style) => lines.map((line) => lineText(line, { style, named })).join('\n') || 'Nothing was logged.',
  );
}

/** One address answers a page or a stream; by what is asked for it is a page. */
type PageCall = Promise<{ data?: Page<LogLine>; error?: unknown; response: Response }>;

async function linesOf(api: Api, id: string, job: Job, { attempt }: LogOptions): Promise<JobLine[]> {
  const page = (cursor: { cursor?: string }) =>
    api.client.GET('/v1/orders/{id}/jobs/{jobId}/logs', {
      params: {
        path: { id, jobId: job.id },
        query: { limit: 500, ...(attempt === undefined ? {} : { attempt }), ...cursor },
      },
      headers: { accept: 'application/json' },
    }) as PageCall;
  return (await api.list(page)).map((line) => ({ ...line, step: job.step, item: job.item }));
}

/** Follows several jobs at once; each line comes when it was logged. */
async function followAll(
  session: Session,
  { id, jobs, options, show }: { id: string; jobs: readonly Job[]; options: LogOptions; show: (line: JobLine) => void },
): Promise<void> {
  const { api, interrupted } = session;
  const query = new URLSearchParams({
    follow: 'true',
    ...(options.attempt ? { attempt: String(options.attempt) } : {}),
  });
  await Promise.all(
    jobs.map(async (job) => {
      const response = await api.raw(
        `/v1/orders/${id}/jobs/${job.id}/logs?${query.toString()}`,
        { headers: { accept: 'text/event-stream' } },
        interrupted,
      );
      if (!response.ok) throw problemOf(response, await response.json().catch(() => undefined));
      try {
        for await (const { data } of messagesOf(response)) {
          show({ ...(JSON.parse(data) as LogLine), step: job.step, item: job.item });
        }
      } catch (error) {
        if (interrupted.aborted) throw new CliError(EXIT.interrupted, 'The order goes on.');
        throw error;
      }
    }),
  );
}

/** A program reads a line of JSON for each line. */
function showLine({ print }: Session, line: JobLine, named: boolean): void {
  if (print.format === 'text') print.progress(lineText(line, { style: print.style, named }));
  else print.out.write(`${JSON.stringify(line)}\n`);
}

function lineText(line: JobLine, { style, named }: { style: Style; named: boolean }): string {
  const paint = { debug: style.faint, info: (text: string) => text, warn: style.warn, error: style.bad }[line.level];
  const item = line.item > 0 ? `[${line.item}]` : '';
  const step = named || item !== '' ? ` ${style.active(`${line.step}${item}`)}` : '';
  const attempt = line.attempt > 1 ? style.warn(` (attempt ${line.attempt})`) : '';
  const fields = line.fields && Object.keys(line.fields).length > 0 ? ` ${style.faint(shortValue(line.fields))}` : '';
  const more = line.truncated ? style.faint(' … (it was longer)') : '';
  return `${style.faint(line.at.slice(11, 23))}${step}${attempt} ${paint(harmless(line.message))}${fields}${more}`;
}
