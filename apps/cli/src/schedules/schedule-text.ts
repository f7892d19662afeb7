import type { Answer, Schedule, Tick } from '../api/shapes.ts';
import { paintState, type Style } from '../output/style.ts';
import { table } from '../output/table.ts';
import { agoText, shortValue } from '../output/value-text.ts';

interface TextOptions {
  readonly style: Style;
  readonly width: number;
  readonly now: number;
}

/** Schedules with when they fire next. */
export function schedulesText(schedules: readonly Schedule[], options: TextOptions): string {
  if (schedules.length === 0) return 'No schedules.';
  const { style, now } = options;
  return table(
    [
      { title: 'NAME', keep: true },
      { title: 'WHEN', keep: true },
      { title: 'NEXT', keep: true },
      { title: 'STATE', keep: true },
      { title: 'RUNS' },
      { title: 'OWNER' },
    ],
    schedules.map((schedule) => [
      schedule.name,
      whenText(schedule),
      schedule.nextAt === null ? '–' : agoText(schedule.nextAt, now),
      stateCell(schedule, style),
      runsText(schedule),
      schedule.owner ?? '–',
    ]),
    options,
  );
}

/** One schedule with what became of its slots. */
export function scheduleText(schedule: Schedule, ticks: readonly Tick[], options: TextOptions): string {
  const { style, now } = options;
  const { state } = { state: stateCell(schedule, style) };
  const facts = [
    ['id', schedule.id],
    ['when', whenText(schedule)],
    ['next', schedule.nextAt === null ? 'never' : `${schedule.nextAt} (${agoText(schedule.nextAt, now)})`],
    ['runs', runsText(schedule)],
    ['order', shortValue(schedule.order)],
    ['overlap', schedule.overlap],
    ['missed', schedule.missed],
    ...(schedule.problem ? [['problem', schedule.problem.detail ?? schedule.problem.title]] : []),
  ];
  const rows = ticks.map((tick) => [
    tick.slot,
    tick.kind,
    { text: tick.state, paint: (text: string) => paintState(style, text) },
    tick.orderId ?? '–',
    { text: tick.orderState ?? '', paint: (text: string) => paintState(style, text) },
    tick.reason ?? tick.problem?.detail ?? '',
  ]);
  const columns = [
    { title: 'SLOT', keep: true },
    { title: 'KIND', keep: true },
    { title: 'STATE', keep: true },
    { title: 'ORDER', keep: true },
    { title: 'ENDED' },
    { title: 'REASON' },
  ];
  return [
    `${style.strong(schedule.name)}  ${state.paint(state.text)}`,
    ...facts.map(([name = '', value = '']) => `  ${style.faint(name.padEnd(8))} ${value}`),
    '',
    ticks.length === 0 ? 'No slot has come yet.' : table(columns, rows, options),
  ].join('\n');
}

/** The slots of a backfill. */
export function slotsText(
  { items, queued, dryRun }: Answer<'backfillSchedule', 200>,
  options: { style: Style; width: number },
): string {
  const rows = items.map(({ slot, action, state, orderId }) => [
    slot,
    action === 'queue' ? (dryRun ? 'would run' : 'queued') : 'kept',
    state ?? 'no tick',
    orderId ?? '–',
  ]);
  const head = dryRun ? `${queued} slots would run` : `${queued} slots are queued`;
  if (items.length === 0) return head;
  return [
    table(
      [{ title: 'SLOT', keep: true }, { title: 'NOW' }, { title: 'BEFORE' }, { title: 'ORDER', keep: true }],
      rows,
      options,
    ),
    '',
    head,
  ].join('\n');
}

const whenText = ({ cron, every, timeZone }: Schedule): string =>
  cron === undefined
    ? `every ${every ?? '?'}`
    : `${cron}${timeZone === undefined || timeZone === 'UTC' ? '' : ` (${timeZone})`}`;

function runsText({ order }: Schedule): string {
  return (
    order.workflow ??
    order.task ??
    order.tasks?.join(', ') ??
    (order.steps ? 'steps of its own' : "the client's contract")
  );
}

function stateCell({ paused, problem }: Schedule, style: Style): { text: string; paint: (text: string) => string } {
  if (problem) return { text: 'failing', paint: style.bad };
  return paused ? { text: 'paused', paint: style.warn } : { text: 'on', paint: style.good };
}
