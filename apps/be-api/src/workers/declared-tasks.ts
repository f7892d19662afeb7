import { parseDuration, type BeApiOperations, type Fault } from '@connecta/contracts';
import { compileTimes, nextSlot } from '@connecta/domain';
import type { OperationInput } from '@connecta/runtime';
import { ANY_CLIENT, type Registration, type ServiceAccount } from '@connecta/store';

type Body = OperationInput<BeApiOperations['registerWorker']>['body'];
type TaskBody = NonNullable<Body['tasks']>[number];

/** The client whose orders a type's scheduled tasks are when its account may act for several. */
const DEFAULT_CLIENT = 'default';

const ONLY_WITH_CRON = ['timeZone', 'overlap', 'missed', 'maxCatchUp'] as const;

/** What is wrong with declared tasks, each by itself; whether they wait for each other is seen with those of all types. */
export function taskFaults(tasks: readonly TaskBody[]): Fault[] {
  const names = tasks.map(({ name }) => name);
  return tasks.flatMap((task, i): Fault[] => {
    const path = `/tasks/${i}`;
    const faults: Fault[] = [];
    if (names.indexOf(task.name) < i)
      faults.push({ path: `${path}/name`, message: `${task.name} is in the list twice` });
    for (const [u, { within }] of (task.upstream ?? []).entries()) {
      if (within === undefined || parseDuration(within) !== null) continue;
      faults.push({ path: `${path}/upstream/${u}/within`, message: 'must be a duration of a year at most' });
    }
    for (const member of ONLY_WITH_CRON) {
      if (task[member] === undefined || task.cron !== undefined) continue;
      faults.push({ path: `${path}/${member}`, message: 'only goes with cron' });
    }
    const times = timesOf(task);
    const compiled = times && compileTimes(times);
    if (compiled && !compiled.ok)
      faults.push(...compiled.faults.map((fault) => ({ ...fault, path: path + fault.path })));
    return faults;
  });
}

/** The declared tasks of a (checked) registration as they are kept; undefined when it tells none. */
export function declaredOf(body: Body, account: ServiceAccount, now: Date): Registration['declared'] {
  if (!body.tasks) return undefined;
  const [only] = account.allowedClients;
  const client = account.allowedClients.length === 1 && only && only !== ANY_CLIENT ? only : DEFAULT_CLIENT;
  const schedules = body.tasks.flatMap((task) => {
    const times = timesOf(task);
    const compiled = times && compileTimes(times);
    if (!times || !compiled?.ok) return [];
    const { overlap = 'skip', missed = 'last', maxCatchUp = 100 } = task;
    const policies = { overlap, missed, maxCatchUp };
    return [{ task: `${body.type}/${task.name}`, times, nextAt: nextSlot(compiled.slots, now), client, ...policies }];
  });
  const tasks = body.tasks.map(({ name, profile = null, upstream = [], cron = null, timeZone = null }) => ({
    ...{ name, profile, upstream, cron, timeZone },
  }));
  return { tasks, schedules };
}

function timesOf({ cron, timeZone = 'UTC' }: TaskBody): { cron: string; timeZone: string } | undefined {
  return cron === undefined ? undefined : { cron, timeZone };
}
