import type { Command } from 'commander';
import type { WorkerTypeDetail } from '../api/shapes.ts';
import { CliError, EXIT } from '../failures.ts';
import { paintState, type Style } from '../output/style.ts';
import { table } from '../output/table.ts';
import { agoText } from '../output/value-text.ts';
import type { CommandTools } from './tools.ts';

/** `connecta workers …`. */
export function addWorkers(program: Command, tools: CommandTools): void {
  const workers = program.command('workers').description('worker types and their instances');
  workers
    .command('list', { isDefault: true })
    .description('all worker types')
    .action(() => list(tools));
  workers
    .command('get')
    .description('one worker type: its functions, tasks and instances')
    .argument('<type>', 'the worker type')
    .action((type: string) => get(type, tools));
  workers
    .command('drain')
    .description('have an instance finish what it holds, take no more, and leave')
    .argument('<type>', 'the worker type')
    .argument('<instance>', 'its name, or its id')
    .action((type: string, instance: string) => drain(type, instance, tools));
}

async function list({ session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const { items } = await api.take(api.client.GET('/v1/workers'));
  print.data(items, (style) =>
    items.length === 0
      ? 'No worker type has registered yet.'
      : table(
          [
            { title: 'TYPE', keep: true },
            { title: 'VERSION' },
            { title: 'LANGUAGE' },
            { title: 'INSTANCES', keep: true },
            { title: 'FREE', keep: true },
            { title: 'PROFILES', keep: true },
            { title: 'TEAM' },
            { title: 'CONTACT' },
          ],
          items.map(({ type, version, language, instances, slots, freeSlots, profiles, owner }) => [
            type,
            version,
            language,
            {
              text:
                instances.draining > 0
                  ? `${instances.ready} + ${instances.draining} draining`
                  : String(instances.ready),
              paint: (text: string) => (instances.ready > 0 ? style.good(text) : style.bad(text)),
            },
            `${freeSlots}/${slots}`,
            String(profiles),
            owner.team,
            owner.contact,
          ]),
          { width: print.width, style },
        ),
  );
}

async function get(type: string, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const worker = await api.take(api.client.GET('/v1/workers/{type}', { params: { path: { type } } }));
  print.data(worker, (style) => detailText(worker, { style, width: print.width, now: Date.now() }));
}

async function drain(type: string, instance: string, { session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const { instances } = await api.take(api.client.GET('/v1/workers/{type}', { params: { path: { type } } }));
  // Live ones are listed first: an instance that came back under its name is the one that is meant.
  const found = instances.find(({ id, instance: name }) => id === instance || name === instance);
  if (!found) {
    throw new CliError(EXIT.notFound, `The worker type '${type}' has no instance '${instance}'.`, [
      `see all: connecta workers get ${type}`,
    ]);
  }
  const path = { type, id: found.id };
  const drained = await api.take(api.client.POST('/v1/workers/{type}/instances/{id}/drain', { params: { path } }));
  print.data(drained, () =>
    drained.state === 'draining'
      ? `${drained.instance} finishes what it holds, takes no more, and leaves.`
      : `${drained.instance} is ${drained.state}.`,
  );
}

function detailText(worker: WorkerTypeDetail, options: { style: Style; width: number; now: number }): string {
  const { style } = options;
  const facts = [
    ['owner', `${worker.owner.team} <${worker.owner.contact}>`],
    ['version', `${worker.version} (${worker.language}, ${worker.transport})`],
    ['api', worker.apiUrl],
  ];
  const functions = worker.functions.map((fn) => [
    textOf(fn['name']),
    textOf(fn['version']),
    textOf(fn['description']),
  ]);
  return [
    style.strong(worker.type),
    ...facts.map(([name = '', value = '']) => `  ${style.faint(name.padEnd(8))} ${value}`),
    '',
    table(
      [{ title: 'FUNCTION', keep: true }, { title: 'VERSION', keep: true }, { title: 'DESCRIPTION' }],
      functions,
      options,
    ),
    '',
    table(
      [{ title: 'TASK', keep: true }, { title: 'FUNCTION' }, { title: 'REVISION', keep: true }],
      worker.tasks.map((task) => [task.task, task.function, String(task.revision)]),
      options,
    ),
    '',
    table(
      [
        { title: 'INSTANCE' },
        { title: 'STATE', keep: true },
        { title: 'FREE', keep: true },
        { title: 'VERSION' },
        { title: 'SEEN', keep: true },
      ],
      worker.instances.map((instance) => [
        instance.instance,
        { text: instance.state, paint: (text: string) => paintState(style, text) },
        `${instance.freeSlots}/${instance.slots}`,
        instance.version,
        agoText(instance.lastSeenAt, options.now),
      ]),
      options,
    ),
  ].join('\n');
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
