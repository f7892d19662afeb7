import type { JsonValue } from '@connecta/contracts';
import { newBreaks, schemaBreaks, usesOfTask } from '@connecta/domain';
import {
  findFunctions,
  readCompatibilityFacts,
  type CompatibilityFacts,
  type FunctionSchemas,
  type Store,
} from '@connecta/store';

/** Something that fits now and would not fit after a registration. */
export interface Break {
  kind: 'function_removed' | 'settings' | 'input' | 'output';
  function: string;
  task?: string;
  workflow?: string;
  step?: string;
  owner?: string;
  path?: string;
  message: string;
}

/** More are not told: who sees these looks again anyhow. */
const MAX_BREAKS = 200;

type Declared = Pick<CompatibilityFacts['declared'][number], 'task' | 'profile'> & {
  upstream: readonly { task: string }[];
};

/** A task that gets the results of others, in a workflow or by its declaration. */
interface Link {
  task: string;
  needs: { name: string; task: string }[];
  workflow?: string;
  step?: string;
}

/** What a registration tells of its type; without `tasks` it leaves those that are declared. */
export interface TypeChange {
  type: string;
  functions: readonly FunctionSchemas[];
  tasks?: readonly { name: string; profile?: string | undefined; upstream?: readonly { task: string }[] | undefined }[];
  /** Profiles that it brings, which its tasks may run. */
  profiles?: readonly { name: string; function: string }[] | undefined;
}

/**
 * What a type's new functions would break of what is built on its present ones, and what its newly declared tasks follow
 * although it does not fit them.
 */
export async function findBreaks(store: Store, change: TypeChange): Promise<Break[]> {
  const present = await findFunctions(store, change.type);
  const next = new Map(change.functions.map((fn) => [fn.name, fn]));
  const changed = present.filter((fn) => schemasText(fn) !== schemasText(next.get(fn.name)));
  // All that follows is dear, and most registrations only say that another runner is there.
  if (changed.length === 0 && change.tasks === undefined) return [];
  const facts = await readCompatibilityFacts(store);
  const declared = declaredNext(facts.declared, change);
  const before = new Set(linksByDeclaration(facts.declared).map(linkText));
  const [kept, added] = partition(linksByDeclaration(declared), (link) => before.has(linkText(link)));
  const world = new World(facts, change, next);
  const touched = new Set(changed.map(({ name }) => name));
  const breaks = [
    ...changed.flatMap((fn) => world.ownBreaks(fn, next.get(fn.name))),
    ...[...linksInWorkflows(facts.workflows), ...kept].flatMap((link) => world.linkBreaks(link, touched)),
    ...added.flatMap((link) => world.newLinkBreaks(link)),
  ];
  return breaks.slice(0, MAX_BREAKS);
}

/** The declared tasks of all types as they would be. */
function declaredNext(present: readonly Declared[], { type, tasks }: TypeChange): Declared[] {
  if (tasks === undefined) return [...present];
  const others = present.filter(({ task }) => !task.startsWith(`${type}/`));
  const own = tasks.map(({ name, profile = null, upstream = [] }) => ({ task: `${type}/${name}`, profile, upstream }));
  return [...others, ...own];
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

const linkText = ({ task, needs }: Link): string => JSON.stringify([task, ...needs.map((need) => need.task)]);

/** The tasks and functions as they are, and as they would be. */
class World {
  readonly #functionOf = new Map<string, { type: string; function: string }>();
  readonly #before = new Map<string, FunctionSchemas>();
  readonly #teams: Map<string, string>;
  readonly #type: string;
  readonly #next: ReadonlyMap<string, FunctionSchemas>;

  constructor(
    facts: CompatibilityFacts,
    { type, profiles = [] }: TypeChange,
    next: ReadonlyMap<string, FunctionSchemas>,
  ) {
    this.#type = type;
    this.#next = next;
    this.#teams = new Map(facts.types.map(({ name, ownerTeam }) => [name, ownerTeam]));
    for (const { name, functions } of facts.types) {
      for (const fn of functions) this.#before.set(`${name} ${fn.name}`, fn);
    }
    for (const told of profiles) this.#functionOf.set(`${type}/${told.name}`, { type, function: told.function });
    const plain = facts.profiles.filter(({ aliasOf }) => aliasOf === null);
    for (const p of plain)
      this.#functionOf.set(`${p.workerType}/${p.name}`, { type: p.workerType, function: p.function });
    for (const { workerType, name, aliasOf } of facts.profiles) {
      const target = aliasOf === null ? undefined : this.#functionOf.get(aliasOf);
      if (target) this.#functionOf.set(`${workerType}/${name}`, target);
    }
  }

  /** What breaks of the setups of one function of the type. */
  ownBreaks(before: FunctionSchemas, after: FunctionSchemas | undefined): Break[] {
    const tasks = [...this.#functionOf].filter(([, at]) => at.type === this.#type && at.function === before.name);
    return tasks.flatMap(([task]): Break[] => {
      const head = { function: before.name, task, ...this.#ownerOf(task) };
      if (!after) return [{ kind: 'function_removed', ...head, message: `the function ${before.name} is gone` }];
      return schemaBreaks(before.settingsSchema ?? {}, after.settingsSchema ?? {}).map(({ path, message }) => ({
        ...{ kind: 'settings', ...head, path, message: `a setup saved before ${message}` },
      }));
    });
  }

  /** What breaks where results are handed on, to or from one of the changed functions. */
  linkBreaks({ task, needs, workflow, step }: Link, changed: ReadonlySet<string>): Break[] {
    const isChanged = (name: string): boolean => {
      const at = this.#functionOf.get(name);
      return at !== undefined && at.type === this.#type && changed.has(at.function);
    };
    const head = { task, ...(workflow === undefined ? {} : { workflow }), ...(step === undefined ? {} : { step }) };
    const gone = [task, ...needs.map((need) => need.task)].find(
      (name) => isChanged(name) && !this.#schemas(name, 'next'),
    );
    const own = (name: string): string => this.#functionOf.get(name)?.function ?? '';
    if (gone !== undefined) {
      const message = `the function ${own(gone)} of ${gone} is gone`;
      return [{ kind: 'function_removed', function: own(gone), ...head, ...this.#ownerOf(task), message }];
    }
    const source = needs.find((need) => isChanged(need.task))?.task;
    if (source === undefined && !isChanged(task)) return [];
    const fits = (when: 'before' | 'next') =>
      schemaBreaks(this.#sent(needs, when), this.#schemas(task, when)?.inputSchema ?? {});
    return newBreaks(fits('before'), fits('next')).map(({ path, message }) => ({
      ...(source === undefined
        ? { kind: 'input' as const, function: own(task) }
        : { kind: 'output' as const, function: own(source) }),
      ...{ ...head, ...this.#ownerOf(task), path, message: `what it gets ${message}` },
    }));
  }

  /** What of a link that nobody had before does not fit. */
  newLinkBreaks({ task, needs }: Link): Break[] {
    const input = this.#schemas(task, 'next')?.inputSchema ?? {};
    return schemaBreaks(this.#sent(needs, 'next'), input).map(({ path, message }) => ({
      ...{ kind: 'input', function: this.#functionOf.get(task)?.function ?? '', task, ...this.#ownerOf(task), path },
      message: `what it would get of ${needs.map((need) => need.task).join(', ')} ${message}`,
    }));
  }

  /** The schema of what a task gets from those before it. */
  #sent(needs: Link['needs'], when: 'before' | 'next'): JsonValue {
    const outputs = needs.map(({ name, task }) => [name, this.#schemas(task, when)?.outputSchema ?? {}] as const);
    const [only] = outputs;
    if (only && outputs.length === 1) return only[1];
    return { type: 'object', required: outputs.map(([name]) => name), properties: Object.fromEntries(outputs) };
  }

  #schemas(task: string, when: 'before' | 'next'): FunctionSchemas | undefined {
    const at = this.#functionOf.get(task);
    if (!at) return undefined;
    if (when === 'next' && at.type === this.#type) return this.#next.get(at.function);
    return this.#before.get(`${at.type} ${at.function}`);
  }

  #ownerOf(task: string): { owner?: string } {
    const owner = this.#teams.get(task.slice(0, task.indexOf('/')));
    return owner === undefined ? {} : { owner };
  }
}

/** Every step that gets results as they are. What is mapped, or taken apart, cannot be compared. */
function linksInWorkflows(workflows: CompatibilityFacts['workflows']): Link[] {
  return workflows.flatMap(({ name, version, definition }) =>
    Object.entries(definition.steps).flatMap(([step, written]): Link[] => {
      const { uses, needs = [] } = written as { uses?: string; needs?: string[] };
      if (uses === undefined || 'with' in written || 'forEach' in written || needs.length === 0) return [];
      const sources = needs.map((need) => need.split(':')[0] ?? '');
      const tasks = sources.map(
        (source) => definition.steps[source] as { uses?: string; forEach?: unknown } | undefined,
      );
      if (tasks.some((source) => source?.uses === undefined || source.forEach !== undefined)) return [];
      const before = sources.map((source, i) => ({ name: source, task: tasks[i]?.uses ?? '' }));
      return [{ task: uses, needs: before, workflow: `${name}@${version}`, step }];
    }),
  );
}

/** Every declared task that follows others. */
function linksByDeclaration(declared: readonly Declared[]): Link[] {
  const profileOf = new Map(declared.map(({ task, profile }) => [task, profile]));
  const usesOf = (task: string): string => usesOfTask(task, profileOf.get(task));
  return declared
    .filter(({ upstream }) => upstream.length > 0)
    .map(({ task, upstream }): Link => ({
      task: usesOf(task),
      needs: upstream.map((up) => ({ name: up.task.slice(up.task.indexOf('/') + 1), task: usesOf(up.task) })),
    }));
}

function schemasText(fn: FunctionSchemas | undefined): string {
  return JSON.stringify(sorted([fn?.settingsSchema ?? null, fn?.inputSchema ?? null, fn?.outputSchema ?? null, !fn]));
}

/** The database keeps members in an order of its own. */
function sorted(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name] as JsonValue)]),
  );
}
