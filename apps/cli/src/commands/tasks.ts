import { Option, type Command } from 'commander';
import type { Body, TaskGraph } from '../api/shapes.ts';
import { readParams, readValue } from '../orders/order-input.ts';
import { withOneKey } from '../orders/place-order.ts';
import { showEnd } from '../orders/show-end.ts';
import { watchOrder } from '../orders/watch-order.ts';
import { table } from '../output/table.ts';
import { agoText } from '../output/value-text.ts';
import { parseTask } from '../profiles/task-name.ts';
import { dotText, mermaidText, treeText, type GraphStep } from '../workflows/step-graph.ts';
import { collect } from './run.ts';
import type { CommandTools } from './tools.ts';

interface InvokeOptions {
  input?: string;
  param: string[];
  client?: string;
  force?: boolean;
  watch?: boolean;
}

/** `connecta tasks …`: the tasks that worker types declare. */
export function addTasks(program: Command, tools: CommandTools): void {
  const tasks = program.command('tasks').description('tasks that worker types declare, with what they follow');
  tasks
    .command('list', { isDefault: true })
    .description('all declared tasks')
    .option('--client <name>', 'whose runs count for freshness')
    .action((options: { client?: string }) => list(options, tools));
  tasks
    .command('graph')
    .description('one picture of all declared tasks')
    .option('--client <name>', 'whose runs count for freshness')
    .addOption(new Option('--format <format>', 'how it is drawn').choices(['tree', 'mermaid', 'dot']).default('tree'))
    .action((options: { client?: string; format: string }) => graph(options, tools));
  tasks
    .command('invoke')
    .description('run a task, with exactly those of its upstreams that are not fresh')
    .argument('<task>', 'worker-type/name')
    .option('-i, --input <json>', 'JSON, @file, or - for standard input')
    .option('-p, --param <name=value>', 'a parameter of the order (again for more)', collect, [])
    .option('--client <name>', 'whose order it is')
    .option('--force', 'run every upstream, fresh or not')
    .option('-w, --watch', 'follow the order to its end')
    .action((task: string, options: InvokeOptions) => invoke(task, options, tools));
}

const queryOf = (client: string | undefined): { query: { client?: string } } => ({
  query: client === undefined ? {} : { client },
});

async function list({ client }: { client?: string }, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const { items } = await api.take(api.client.GET('/v1/tasks', { params: queryOf(client ?? session.client) }));
  print.data(items, (style) =>
    items.length === 0
      ? 'No worker type declares tasks.'
      : table(
          [
            { title: 'TASK', keep: true },
            { title: 'FOLLOWS' },
            { title: 'CRON' },
            { title: 'LAST RUN' },
            { title: 'TEAM' },
          ],
          items.map((task) => [
            { text: task.task, paint: (text: string) => (task.known ? text : style.warn(text)) },
            task.upstream
              .map((up) => (up.within === undefined ? up.task : `${up.task} (within ${up.within})`))
              .join(', ') || '–',
            task.cron ?? '–',
            task.lastRun ? agoText(task.lastRun.finishedAt, Date.now()) : 'never',
            task.owner,
          ]),
          { width: print.width, style },
        ),
  );
}

async function graph(
  { client, format }: { client?: string; format: string },
  { session }: CommandTools,
): Promise<void> {
  const { api, print } = session;
  const found = await api.take(api.client.GET('/v1/tasks/graph', { params: queryOf(client ?? session.client) }));
  const steps = stepsOf(found);
  print.data(found, () => {
    if (steps.length === 0) return 'No worker type declares tasks.';
    if (format === 'mermaid') return mermaidText(steps);
    return format === 'dot' ? dotText(steps, 'tasks') : treeText(steps);
  });
}

/** Tasks drawn as the steps of a workflow are: an edge says how young the upstream's last run has to be. */
function stepsOf({ nodes, edges }: TaskGraph): GraphStep[] {
  return nodes.map(({ task, owner, known, lastRun }) => ({
    name: task,
    label: owner ?? 'nobody',
    needs: edges
      .filter(({ to }) => to === task)
      .map(({ from, within }) => ({ step: from, edge: within === undefined ? undefined : `within ${within}` })),
    remarks: [
      ...(known ? [] : ['its profile does not exist']),
      ...(lastRun ? [`ran ${agoText(lastRun.finishedAt, Date.now())}`] : []),
    ],
  }));
}

async function invoke(task: string, options: InvokeOptions, { session, ended }: CommandTools): Promise<void> {
  const { api, print } = session;
  const { type, name } = parseTask(task);
  const params = readParams(options.param);
  const client = options.client ?? session.client;
  const body: NonNullable<Body<'invokeTask'>> = {
    force: options.force ?? false,
    ...(client === undefined ? {} : { client }),
    ...(params ? { params } : {}),
    ...(options.input === undefined ? {} : { input: await readValue(options.input, '--input', session.around) }),
  };
  const made = await withOneKey((key) =>
    api.take(
      api.client.POST('/v1/tasks/{type}/{name}/invoke', {
        params: { path: { type, name }, header: { 'Idempotency-Key': key } },
        body,
      }),
    ),
  );
  const text = [
    `runs ${made.runs.join(', ')}`,
    ...made.fresh.map(
      (each) => `takes over ${each.task} of ${agoText(each.since, Date.now())} (order ${each.orderId})`,
    ),
  ];
  if (options.watch) {
    for (const line of text) print.note(line);
    ended(showEnd(session, await watchOrder(session, api, made.id)));
    return;
  }
  print.data(made, (style) =>
    [`order ${style.strong(made.id)} is accepted`, ...text.map((line) => `  ${line}`)].join('\n'),
  );
}
