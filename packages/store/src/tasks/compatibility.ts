import type { JsonValue } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { listWorkflows, type Workflow } from '../workflows/workflows.ts';
import { listDeclaredTasks, type KnownTask } from './declared-tasks.ts';

/** What a registration meets that breaks what others built on. */
export type CompatibilityMode = 'warn' | 'enforce';

/** A function as its type registered it. */
export interface FunctionSchemas {
  name: string;
  settingsSchema?: JsonValue;
  inputSchema?: JsonValue;
  outputSchema?: JsonValue;
}

/** Everything that is built on functions. */
export interface CompatibilityFacts {
  types: { name: string; ownerTeam: string; functions: FunctionSchemas[] }[];
  /** Tasks with the functions that their profiles name. */
  profiles: { workerType: string; name: string; function: string; aliasOf: string | null }[];
  workflows: Workflow[];
  declared: KnownTask[];
}

const MAX_WORKFLOWS = 10_000;

export async function readCompatibilityFacts(store: Store): Promise<CompatibilityFacts> {
  const [types, profiles, workflows, declared] = await Promise.all([
    store.prisma.workerType.findMany({ select: { name: true, ownerTeam: true, functions: true } }),
    store.prisma.profile.findMany({
      where: { deletedAt: null },
      select: { workerType: true, name: true, function: true, aliasOf: true },
    }),
    listWorkflows(store, { after: undefined, limit: MAX_WORKFLOWS }),
    listDeclaredTasks(store),
  ]);
  return { types: types as unknown as CompatibilityFacts['types'], profiles, workflows, declared };
}

/** The functions that a type has registered. */
export async function findFunctions(store: Store, type: string): Promise<FunctionSchemas[]> {
  const row = await store.prisma.workerType.findUnique({ where: { name: type }, select: { functions: true } });
  return (row?.functions ?? []) as unknown as FunctionSchemas[];
}

/** True of a type that its runners tell of: no API of it ever did. */
export async function isToldByRunners(store: Store, type: string): Promise<boolean> {
  const row = await store.prisma.workerType.findUnique({ where: { name: type }, select: { apiUrl: true } });
  return row?.apiUrl === '';
}

/** The mode of a type; `warn` for one that has not registered yet. */
export async function findCompatibilityMode(store: Store, type: string): Promise<CompatibilityMode> {
  const row = await store.prisma.workerType.findUnique({ where: { name: type }, select: { compatibility: true } });
  return (row?.compatibility ?? 'warn') as CompatibilityMode;
}

/** False: there is no such type. */
export async function setCompatibilityMode(store: Store, type: string, mode: CompatibilityMode): Promise<boolean> {
  const { count } = await store.prisma.workerType.updateMany({ where: { name: type }, data: { compatibility: mode } });
  return count > 0;
}
