import type { Command } from 'commander';
import type { Session } from '../session.ts';

/** What of the server may stand where an argument of this name is wanted. */
type Source = (session: Session) => Promise<string[]>;

/**
 * The words that may stand where the last of `words` begins: commands, options, and for some arguments names of the
 * installation. Whatever goes wrong gives none: a completion that complains is worse than none.
 */
export async function candidates(program: Command, session: Session, words: readonly string[]): Promise<string[]> {
  const typed = words.at(-1) ?? '';
  const { command, values } = walk(program, words.slice(0, -1));
  if (typed.startsWith('-')) return optionsOf(command).filter((flag) => flag.startsWith(typed));
  const commands = command.commands.map((child) => child.name()).filter((name) => !HIDDEN.has(name));
  const argument = command.registeredArguments[values] ?? command.registeredArguments.at(-1);
  const source =
    argument && (argument.variadic || values < command.registeredArguments.length)
      ? SOURCES[argument.name()]
      : undefined;
  const names = source ? await source(session).catch(() => []) : [];
  return [...commands, ...names].filter((name) => name.startsWith(typed));
}

/** Commands that nobody types. */
const HIDDEN: ReadonlySet<string> = new Set(['complete']);

function walk(program: Command, words: readonly string[]): { command: Command; values: number } {
  let command = program;
  let values = 0;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word.startsWith('-')) {
      const option = [...command.options, ...program.options].find(
        ({ short, long }) => word === short || word === long,
      );
      if (option?.required || option?.optional) at += 1;
      continue;
    }
    const child = command.commands.find((candidate) => candidate.name() === word);
    if (child && values === 0) command = child;
    else values += 1;
  }
  return { command, values };
}

function optionsOf(command: Command): string[] {
  const chain: Command[] = [];
  for (let at: Command | null = command; at; at = at.parent) chain.push(at);
  return chain.flatMap(({ options }) => options.map(({ long }) => long ?? '')).filter((flag) => flag !== '');
}

const tasks: Source = async ({ api }) => {
  const { items } = await api.take(api.client.GET('/v1/workers'));
  const details = await Promise.all(
    items.map(({ type }) => api.take(api.client.GET('/v1/workers/{type}', { params: { path: { type } } }))),
  );
  return details.flatMap((detail) => detail.tasks.map(({ task }) => task));
};

const workflows: Source = async ({ api }) =>
  (await api.take(api.client.GET('/v1/workflows', { params: { query: { limit: 500 } } }))).items.map(
    ({ name }) => name,
  );

const orders: Source = async ({ api }) => {
  const { items } = await api.take(api.client.GET('/v1/orders', { params: { query: { limit: 30 } } }));
  return ['@latest', ...items.map(({ id }) => id)];
};

const schedules: Source = async ({ api }) =>
  (await api.take(api.client.GET('/v1/schedules', { params: { query: { limit: 500 } } }))).items.map(
    ({ name }) => name,
  );

const types: Source = async ({ api }) => (await api.take(api.client.GET('/v1/workers'))).items.map(({ type }) => type);

const SOURCES: Readonly<Record<string, Source>> = {
  what: async (session) => (await Promise.all([tasks(session), workflows(session)])).flat(),
  task: tasks,
  order: orders,
  type: types,
  workflow: workflows,
  schedule: schedules,
};
