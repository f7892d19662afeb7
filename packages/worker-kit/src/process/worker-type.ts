import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { OfflinePolicy } from '@connecta/contracts';
import type { SampleProfile } from '../profiles/samples.ts';
import type { WorkerFunction } from '../function/function.ts';
import type { Registration } from '../be-api/presence.ts';

/** A kind of worker: what both of its processes are made from. */
export interface WorkerType {
  /** `big-function`: lower case, as in the tasks `big-function/tiles`. */
  readonly type: string;
  /** Of the code, e.g. the package's version. */
  readonly version: string;
  /** Who answers for it. */
  readonly owner: { readonly team: string; readonly contact: string };
  readonly functions: readonly WorkerFunction[];
  /** Profiles that exist from the first start on. */
  readonly samples?: readonly SampleProfile[];
  /** What happens to jobs while no runner lives; a function or a step may say otherwise. Default: they wait for a day. */
  readonly offline?: OfflinePolicy;
  /** Tasks that declare what they follow, and when they run by themselves. A task is named after the profile that it runs. */
  readonly tasks?: readonly TaskDeclaration[];
  /** Tasks of other types that this one has taken over, under their old names: workflows keep working. */
  readonly aliases?: readonly { readonly from: string; readonly to: string }[];
}

/** A task of the type with what it follows, of any type. */
export interface TaskDeclaration {
  readonly name: string;
  /** The profile that it runs, where its name is another. */
  readonly profile?: string;
  /** `within` (`1h`): its last run is fresh enough when it is younger; without it, it always runs. */
  readonly upstream?: readonly { readonly task: string; readonly within?: string }[];
  /** Makes a schedule that the type owns. */
  readonly cron?: string;
  readonly timeZone?: string;
  /** What becomes of a slot while an order of the schedule runs. Default: it is left out. */
  readonly overlap?: 'skip' | 'queue' | 'replace' | 'allow';
  /** What of the slots that were missed is made up for, of all of them at most `maxCatchUp`. Default: the newest one. */
  readonly missed?: 'none' | 'last' | 'all';
  readonly maxCatchUp?: number;
}

/** A name that no other process has: host, pid, and random digits since pids are used again. */
export function instanceName(role: Registration['role']): string {
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9.-]/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 60);
  return `${host || 'host'}-${role}-${process.pid}-${randomBytes(3).toString('hex')}`;
}

/** What a registration of either role holds. */
export function commonRegistration(
  workerType: WorkerType,
): Pick<
  Registration,
  'type' | 'version' | 'language' | 'owner' | 'functions' | 'offline' | 'transport' | 'protocolVersion'
> {
  return {
    type: workerType.type,
    version: workerType.version,
    language: 'typescript',
    owner: { ...workerType.owner },
    functions: workerType.functions.map(toRegistered),
    ...(workerType.offline ? { offline: workerType.offline } : {}),
    transport: 'bullmq',
    protocolVersion: 1,
  };
}

/** What only a type's API tells: its aliases and declared tasks, each list whole. */
export function declarationsOf({ aliases = [], tasks = [] }: WorkerType): Pick<Registration, 'aliases' | 'tasks'> {
  return { aliases: [...aliases], tasks: tasks.map((task) => ({ ...task, upstream: [...(task.upstream ?? [])] })) };
}

function toRegistered(definition: WorkerFunction): Registration['functions'][number] {
  const { name, version, description, settingsSchema, inputSchema, outputSchema, cacheable } = definition;
  const { timers, retry, offline } = definition;
  return {
    name,
    version,
    settingsSchema,
    inputSchema,
    outputSchema,
    cacheable: cacheable ?? false,
    ...(description === undefined ? {} : { description }),
    ...(timers === undefined ? {} : { timers }),
    ...(retry === undefined ? {} : { retry }),
    ...(offline === undefined ? {} : { offline }),
  };
}
