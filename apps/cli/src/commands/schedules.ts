import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Schedule, ScheduleWrite } from '../api/shapes.ts';
import { findByPrefix } from '../api/find-by-prefix.ts';
import { UsageError } from '../failures.ts';
import { readParams, readTarget, readValue } from '../orders/order-input.ts';
import { withOneKey } from '../orders/place-order.ts';
import { scheduleText, schedulesText, slotsText } from '../schedules/schedule-text.ts';
import type { Session } from '../session.ts';
import { collect, countOf } from './run.ts';
import type { CommandTools } from './tools.ts';

interface CreateOptions {
  cron?: string;
  every?: string;
  timeZone?: string;
  input?: string;
  param: string[];
  client?: string;
  overlap?: NonNullable<ScheduleWrite['overlap']>;
  missed?: NonNullable<ScheduleWrite['missed']>;
  maxCatchUp: number;
  description?: string;
  paused?: boolean;
  upstreams?: boolean;
}

/** `connecta schedules …`. */
export function addSchedules(program: Command, tools: CommandTools): void {
  const schedules = program.command('schedules').description('orders placed by the clock');
  schedules
    .command('list', { isDefault: true })
    .description('all schedules')
    .action(() => list(tools));
  schedules
    .command('get')
    .description('one schedule with what became of its newest slots')
    .argument('<schedule>', SCHEDULE)
    .option('-n, --limit <n>', 'so many slots at most', countOf, 10)
    .action((text: string, { limit }: { limit: number }) => get(text, limit, tools));
  addCreate(schedules, tools);
  for (const verb of ['pause', 'resume'] as const) {
    schedules
      .command(verb)
      .description(verb === 'pause' ? 'place no more orders' : 'go on with the next slot from now')
      .argument('<schedule>', SCHEDULE)
      .action((text: string) => pauseOrResume(text, verb, tools));
  }
  schedules
    .command('run-now')
    .description("place the schedule's order at once")
    .argument('<schedule>', SCHEDULE)
    .action((text: string) => runNow(text, tools));
  schedules
    .command('backfill')
    .description('make up for slots of the past')
    .argument('<schedule>', SCHEDULE)
    .requiredOption('--from <time>', 'the first slot (ISO time)', timeOf)
    .requiredOption('--to <time>', 'up to here, without it', timeOf)
    .option('--dry-run', 'only tell which slots')
    .action((text: string, options: { from: string; to: string; dryRun?: boolean }) => backfill(text, options, tools));
  schedules
    .command('delete')
    .description('delete a schedule; orders that it placed go on')
    .argument('<schedule>', SCHEDULE)
    .action((text: string) => remove(text, tools));
}

const SCHEDULE = 'its name, its id, or the beginning of it';

function addCreate(schedules: Command, tools: CommandTools): void {
  schedules
    .command('create')
    .description('create a schedule')
    .argument('<name>', 'what people call it')
    .argument('<what>', 'what to run: a task, tasks, or a workflow')
    .option('--cron <expression>', "minute hour day month weekday, as '30 2 * * *'")
    .option('--time-zone <zone>', 'with --cron: an IANA name, as Europe/Berlin')
    .option('--every <duration>', '10m, 2h, 1d')
    .option('-i, --input <json>', 'JSON, @file, or - for standard input')
    .option('-p, --param <name=value>', 'a parameter of the orders (again for more)', collect, [])
    .option('--client <name>', 'whose orders they are')
    .addOption(new Option('--overlap <policy>', 'while one still runs').choices(['skip', 'queue', 'replace', 'allow']))
    .addOption(new Option('--missed <policy>', 'what is made up for').choices(['none', 'last', 'all']))
    .option('--max-catch-up <n>', 'with --missed all: so many at most', countOf, 100)
    .option('--description <text>')
    .option('--upstreams', 'run the one task together with those of its upstreams that are not fresh')
    .option('--paused', 'place no orders yet')
    .action((name: string, what: string, options: CreateOptions) => create(name, { what, ...options }, tools));
}

async function find({ api }: Session, text: string): Promise<Schedule> {
  const page = (cursor: { cursor?: string }) => api.client.GET('/v1/schedules', { params: { query: cursor } });
  return findByPrefix(await api.list<Schedule>(page), text, 'schedule');
}

async function list({ session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const page = (cursor: { cursor?: string }) => api.client.GET('/v1/schedules', { params: { query: cursor } });
  const schedules = await api.list<Schedule>(page);
  print.data(schedules, (style) => schedulesText(schedules, { style, width: print.width, now: Date.now() }));
}

async function get(text: string, limit: number, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const schedule = await find(session, text);
  const { items: ticks } = await api.take(
    api.client.GET('/v1/schedules/{id}/ticks', { params: { path: { id: schedule.id }, query: { limit } } }),
  );
  print.data({ ...schedule, ticks }, (style) =>
    scheduleText(schedule, ticks, { style, width: print.width, now: Date.now() }),
  );
}

async function create(
  name: string,
  options: CreateOptions & { what: string },
  { session }: CommandTools,
): Promise<void> {
  const { api, print } = session;
  if ((options.cron === undefined) === (options.every === undefined)) {
    throw new UsageError('Give either --cron or --every.');
  }
  const target = readTarget(options.what);
  const single = 'tasks' in target && target.tasks.length === 1 ? target.tasks[0] : undefined;
  if (options.upstreams && single === undefined) throw new UsageError('--upstreams takes one task.');
  const params = readParams(options.param);
  const client = options.client ?? session.client;
  const { cron, every, timeZone, overlap, missed, description, paused } = options;
  const body: ScheduleWrite = {
    name,
    maxCatchUp: options.maxCatchUp,
    ...(cron === undefined ? {} : { cron }),
    ...(every === undefined ? {} : { every }),
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(missed === undefined ? {} : { missed }),
    ...(description === undefined ? {} : { description }),
    paused: paused ?? false,
    order: {
      ...(options.upstreams && single !== undefined ? { task: single } : target),
      ...(client === undefined ? {} : { client }),
      ...(params ? { params } : {}),
      ...(options.input === undefined ? {} : { input: await readValue(options.input, '--input', session.around) }),
    },
  };
  const made = await withOneKey((key) =>
    api.take(api.client.POST('/v1/schedules', { params: { header: { 'Idempotency-Key': key } }, body })),
  );
  print.data(made, (style) => `schedule ${style.strong(made.name)}: next at ${made.nextAt ?? 'no time at all'}`);
}

async function pauseOrResume(text: string, verb: 'pause' | 'resume', { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const { id } = await find(session, text);
  const params = { path: { id } };
  const changed = await api.take(
    verb === 'pause'
      ? api.client.POST('/v1/schedules/{id}/pause', { params })
      : api.client.POST('/v1/schedules/{id}/resume', { params }),
  );
  print.data(changed, () =>
    changed.paused
      ? `${changed.name} is paused`
      : `${changed.name} goes on: next at ${changed.nextAt ?? 'no time at all'}`,
  );
}

async function runNow(text: string, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const { id, name } = await find(session, text);
  const tick = await api.take(api.client.POST('/v1/schedules/{id}/run-now', { params: { path: { id } } }));
  print.data(tick, () => `${name}: order ${tick.orderId ?? '–'} ${tick.reason ?? tick.state}`);
}

async function backfill(
  text: string,
  { from, to, dryRun = false }: { from: string; to: string; dryRun?: boolean },
  { session }: CommandTools,
): Promise<void> {
  const { api, print } = session;
  const { id } = await find(session, text);
  const slots = await api.take(
    api.client.POST('/v1/schedules/{id}/backfill', { params: { path: { id } }, body: { from, to, dryRun } }),
  );
  print.data(slots, (style) => slotsText(slots, { style, width: print.width }));
}

async function remove(text: string, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const { id, name } = await find(session, text);
  const { etag } = await api.takeTagged(api.client.GET('/v1/schedules/{id}', { params: { path: { id } } }));
  await api.take(api.client.DELETE('/v1/schedules/{id}', { params: { path: { id }, header: { 'If-Match': etag } } }));
  print.data({ id, name, deleted: true }, () => `${name} is deleted`);
}

function timeOf(text: string): string {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new InvalidArgumentError('It is a time, as 2026-11-21T08:00:00Z.');
  return new Date(time).toISOString();
}
