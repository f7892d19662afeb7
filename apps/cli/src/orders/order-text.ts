import type { JobTrace, Order, OrderSummary } from '../api/shapes.ts';
import { paintState, type Style } from '../output/style.ts';
import { table, type Cell } from '../output/table.ts';
import { agoText, shortValue, spanText } from '../output/value-text.ts';

/** An order's whole trace: its head, each step with what went in and came out, the end. */
export function orderText(order: Order, options: { style: Style; width: number; now: number }): string {
  const { style, width } = options;
  const facts = [
    ['client', order.client],
    ['runs', whatItRuns(order)],
    ['placed', `${agoText(order.createdAt, options.now)} by ${order.createdBy}`],
    ...(order.finishedAt ? [['took', spanText(Date.parse(order.finishedAt) - Date.parse(order.createdAt))]] : []),
    ...(order.rerunOf ? [['rerun of', order.rerunOf]] : []),
    ...(order.parentJobId ? [['parent job', order.parentJobId]] : []),
    ...(order.params ? [['params', shortValue(order.params)]] : []),
    ...(order.why === undefined ? [] : [['waits', order.why]]),
    ['input', shortValue(order.input)],
  ];
  const rows = Object.entries(order.jobs).map(([step, job]) => stepRow(step, job, style));
  return [
    `${style.strong(`order ${order.id}`)}  ${paintState(style, order.state)}`,
    ...facts.map(([name = '', value = '']) => `  ${style.faint(name.padEnd(10))} ${value}`),
    '',
    table(STEP_COLUMNS, rows, { width, style }),
    '',
    endText(order, style),
  ].join('\n');
}

const STEP_COLUMNS = [
  { title: 'STEP' },
  { title: 'USES' },
  { title: 'STATE', keep: true },
  { title: 'TRY', keep: true },
  { title: 'TOOK', keep: true },
  { title: 'IN → OUT' },
];

function stepRow(step: string, job: JobTrace, style: Style): Cell[] {
  const took = job.startedAt && job.finishedAt ? Date.parse(job.finishedAt) - Date.parse(job.startedAt) : undefined;
  const progress = job.progress !== undefined && job.state === 'started' ? ` ${Math.round(job.progress * 100)} %` : '';
  return [
    step,
    usesText(job),
    { text: `${job.state}${progress}`, paint: () => `${paintState(style, job.state)}${progress}` },
    job.attempt === undefined ? '' : String(job.attempt),
    took === undefined ? '' : spanText(took),
    outcomeText(job),
  ];
}

/** What a step does: its task, the workflow that it runs, or what it waits for. */
function usesText({ uses, workflow, wait }: JobTrace): string {
  if (uses !== undefined) return uses;
  if (workflow !== undefined) return `workflow ${workflow}`;
  return wait === undefined ? '–' : `wait for ${wait}`;
}

function outcomeText(job: JobTrace): string {
  if (job.error) return `${job.error.code}: ${job.error.message}`;
  if (job.state === 'waiting') return waitText(job);
  if (job.why !== undefined) return job.until === undefined ? job.why : `${job.why} (${job.until})`;
  const kept = job.reusedFrom ? 'kept: ' : job.cachedFrom ? 'cached: ' : '';
  if (job.input === undefined && job.result === undefined) return '';
  return job.result === undefined
    ? `${shortValue(job.input)} →`
    : `${kept}${shortValue(job.input)} → ${shortValue(job.result)}`;
}

/** What a step waits for, and what to do about it. */
function waitText(job: JobTrace): string {
  const { waitsFor, instructions, role, callback, until, items, orderId } = job;
  const end = until === undefined ? '' : ` (until ${until})`;
  switch (waitsFor) {
    case 'approval':
      return `${instructions ?? 'waits for a decision'} (connecta decide …, ${role ?? 'operator'})${end}`;
    case 'callback':
      return `POST ${callback ?? 'the callback'}${end}`;
    case 'time':
      return `until ${until ?? '?'}`;
    case 'order':
      return `order ${orderId ?? ''}`;
    case 'items':
      return items
        ? `${items.done} of ${items.total} items${items.failed > 0 ? `, ${items.failed} failed` : ''}`
        : 'its items';
    case 'values':
      return 'large values are read';
    case 'steps':
    case 'retry':
    case 'runner':
    case undefined:
    default:
      return '';
  }
}

/** The last line: the result, the error, or that there is more to come. */
export function endText(order: Order, style: Style): string {
  switch (order.state) {
    case 'completed':
      return `${style.good('✓')} result ${shortValue(order.result)}`;
    case 'failed':
      return `${style.bad('✗')} ${order.error ? `${order.error.code}: ${order.error.message}` : 'failed'}`;
    case 'cancelled':
      return `${style.warn('■')} cancelled`;
    case 'accepted':
    case 'active':
      return style.faint(`… still ${order.state}: connecta orders watch ${order.id}`);
  }
}

/** The workflow, the list of tasks or the number of steps. */
export function whatItRuns(order: Pick<Order, 'workflow' | 'tasks'> & { steps?: object }): string {
  if (order.workflow) return `${order.workflow.name}@${order.workflow.version}`;
  if (order.tasks) return order.tasks.join(', ');
  return order.steps ? `${Object.keys(order.steps).length} steps of its own` : 'steps of its own';
}

/** A list of orders, newest first. */
export function ordersText(
  orders: readonly OrderSummary[],
  options: { style: Style; width: number; now: number },
): string {
  if (orders.length === 0) return 'No orders.';
  const { style } = options;
  const columns = [
    { title: 'ID', keep: true },
    { title: 'STATE', keep: true },
    { title: 'CLIENT' },
    { title: 'RUNS' },
    { title: 'STEPS', keep: true },
    { title: 'PLACED', keep: true },
    { title: 'ERROR' },
  ];
  const rows = orders.map((order): Cell[] => [
    order.id,
    { text: order.state, paint: (text) => paintState(style, text) },
    order.client,
    whatItRuns(order),
    stepsText(Object.values(order.progress)),
    agoText(order.createdAt, options.now),
    order.error ? `${order.error.code}: ${order.error.message}` : '',
  ]);
  return table(columns, rows, options);
}

function stepsText(states: readonly string[]): string {
  const done = states.filter((state) => state === 'completed' || state === 'skipped').length;
  return `${done}/${states.length}`;
}
