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
  /** Tasks of other types that this one has taken over, under their old names: workflows keep working. */
  readonly aliases?: readonly { readonly from: string; readonly to: string }[];
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
