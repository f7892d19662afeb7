import type { Command } from 'commander';
import type { Body, WorkerCheck } from '../api/shapes.ts';
import { findLocalSystem } from '../connection/local-system.ts';
import { CliError, EXIT, UsageError, reasonOf } from '../failures.ts';
import { faultsText } from '../output/problem-text.ts';
import type { Style } from '../output/style.ts';
import { table } from '../output/table.ts';
import { readValue } from '../orders/order-input.ts';
import type { Session } from '../session.ts';
import type { CommandTools } from './tools.ts';

type CheckRequest = Body<'checkWorker'>;
const TIMEOUT_MS = 10_000;

/** `connecta check`: what a new version of a worker would break, before it is deployed. */
export function addCheck(program: Command, { session, ended }: CommandTools): void {
  program
    .command('check')
    .description('what a new version of a worker would break: tasks, workflows, setups of others')
    .argument('[registration]', 'a registration as JSON or YAML; - for standard input')
    .option('--worker-url <url>', 'ask a worker API that runs already (needs --type)')
    .option('--type <type>', 'the worker type, when the registration does not say it')
    .action(async (path: string | undefined, options: { workerUrl?: string; type?: string }) => {
      const request = await requestOf(path, options, session);
      const found = await session.api.take(session.api.client.POST('/v1/workers/check', { body: request }));
      const { print } = session;
      print.data(found, (style) => checkText(request.type, found, { style, width: print.width }));
      ended(found.ok ? EXIT.ok : EXIT.failed);
    });
}

async function requestOf(
  path: string | undefined,
  { workerUrl, type }: { workerUrl?: string; type?: string },
  session: Session,
): Promise<CheckRequest> {
  if ((path === undefined) === (workerUrl === undefined)) {
    throw new UsageError('Give either a registration or --worker-url.');
  }
  if (workerUrl !== undefined) {
    if (type === undefined) throw new UsageError('Say the worker type with --type.');
    return { type, functions: await functionsAt(workerUrl, gatewayKeyFor(workerUrl, session)) };
  }
  const value = await readValue(path === '-' ? '-' : `@${path ?? ''}`, 'registration', session.around);
  if (typeof value !== 'object' || value === null) throw new UsageError(`${path ?? ''} is no registration.`);
  const { type: named = type, functions, tasks } = value as Partial<CheckRequest>;
  if (typeof named !== 'string' || !Array.isArray(functions)) {
    throw new UsageError(`${path ?? ''} is no registration: it has a type and functions.`);
  }
  return { type: named, functions, ...(Array.isArray(tasks) ? { tasks } : {}) };
}

/** A worker's API opens to the gateway's key: CONNECTA_GATEWAY_KEY, for this machine alone that of the local system. */
function gatewayKeyFor(workerUrl: string, { around }: Session): string {
  const { CONNECTA_GATEWAY_KEY: given } = around.env;
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(URL.parse(workerUrl)?.hostname ?? '');
  const key = given || (isLocal ? findLocalSystem(around.env, around.cwd)?.gatewayKey : undefined);
  if (key) return key;
  throw new CliError(EXIT.notAllowed, `The worker's API asks for the key of its gateway.`, [
    'Give it in CONNECTA_GATEWAY_KEY, or write the registration into a file.',
  ]);
}

/** What a worker's own API says that it can do. */
async function functionsAt(workerUrl: string, key: string): Promise<CheckRequest['functions']> {
  const url = URL.parse('/v1/functions', workerUrl);
  if (!url) throw new UsageError(`'${workerUrl}' is no address.`);
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const body = (await response.json()) as { items?: CheckRequest['functions']; detail?: string };
    if (response.ok && body.items) return body.items;
    throw new CliError(
      EXIT.unavailable,
      `${url.href} answered ${response.status}${body.detail ? `: ${body.detail}` : ''}`,
    );
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(EXIT.unreachable, `${url.href} cannot be reached: ${reasonOf(error)}`);
  }
}

function checkText(type: string, found: WorkerCheck, options: { style: Style; width: number }): string {
  const { style } = options;
  if (found.ok) return `${style.good('✓')} Nothing that others built on '${type}' would break.`;
  const count = found.breaks.length;
  const what =
    found.compatibility === 'enforce'
      ? 'the registration would be refused'
      : 'the registration would be accepted with a warning';
  const rows = found.breaks.map(({ kind, function: fn, task, workflow, step, owner, message }) => [
    { text: kind.replace('_', ' '), paint: style.bad },
    fn,
    [task, workflow && step ? `${workflow} (${step})` : workflow].filter(Boolean).join(' in ') || '–',
    owner ?? '–',
    message,
  ]);
  const columns = [
    { title: 'BREAKS', keep: true },
    { title: 'FUNCTION', keep: true },
    { title: 'TASK' },
    { title: 'TEAM' },
    { title: 'WHY' },
  ];
  return [
    `${style.bad('✗')} ${count} ${count === 1 ? 'thing' : 'things'} would break; ${what}.`,
    ...(count > 0 ? ['', table(columns, rows, options)] : []),
    ...(found.errors.length > 0 ? ['', faultsText(found.errors, undefined, style)] : []),
  ].join('\n');
}
