import type { FunctionBehaviour, OfflinePolicy, ProfileId, WorkerInstanceId } from '@connecta/contracts';
import type { DeclaredTask, TaskSchedule } from '../tasks/declared-tasks.ts';

/** What a type says of one profile: an entry of the read copy. A deletion keeps the revision it deleted. */
export interface ToldProfile {
  id: ProfileId;
  name: string;
  function: string;
  revision: number;
  schemaHash?: string | undefined;
  deleted?: boolean | undefined;
}

/** A task under its old name: `from` and `to` are `type/name`. */
export interface TaskAlias {
  from: string;
  to: string;
}

/** `name_taken`: the old name is a live profile or the alias of another type, which goes before this one. */
export interface AliasOutcome extends TaskAlias {
  state: 'active' | 'name_taken';
}

/** What is looked at in a function; the rest is kept as it was told. */
export interface RegisteredFunction extends FunctionBehaviour {
  name: string;
  version: string;
  cacheable?: boolean | undefined;
}

/** One process of a worker type that says hello. */
export interface Registration {
  type: string;
  role: 'api' | 'runner' | 'both';
  instance: string;
  version: string;
  language: string;
  apiUrl?: string | undefined;
  slots: number;
  labels: Readonly<Record<string, string>>;
  owner: { team: string; contact: string };
  /** As told; kept as JSON. */
  functions: readonly RegisteredFunction[];
  /** What happens to jobs while no instance lives; what was told before stays without it. */
  offline?: OfflinePolicy | undefined;
  /** Every profile of the type; from the role `api`. */
  profiles?: readonly ToldProfile[] | undefined;
  /** Every alias that leads to a task of the type; from the role `api`. */
  aliases?: readonly TaskAlias[] | undefined;
  /** Every task that the type declares, with the schedules of those that have a `cron`; from the role `api`. */
  declared?: { tasks: readonly DeclaredTask[]; schedules: readonly TaskSchedule[] } | undefined;
  transport: string;
  heartbeatMs: number;
}

export interface Registered {
  workerId: WorkerInstanceId;
  aliases: AliasOutcome[];
}
