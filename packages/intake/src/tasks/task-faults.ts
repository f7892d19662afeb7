import { parseDuration, type Fault } from '@connecta/contracts';
import { compileTimes } from '@connecta/domain';

/** What a registration says of a task that its type declares. */
export interface ToldTask {
  name: string;
  upstream?: { within?: string | undefined }[] | undefined;
  cron?: string | undefined;
  timeZone?: string | undefined;
  overlap?: string | undefined;
  missed?: string | undefined;
  maxCatchUp?: number | undefined;
}

const ONLY_WITH_CRON = ['timeZone', 'overlap', 'missed', 'maxCatchUp'] as const;

/** What is wrong with declared tasks, each by itself; whether they wait for each other is seen with those of all types. */
export function taskFaults(tasks: readonly ToldTask[]): Fault[] {
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
    const times = timesOfTask(task);
    const compiled = times && compileTimes(times);
    if (compiled && !compiled.ok)
      faults.push(...compiled.faults.map((fault) => ({ ...fault, path: path + fault.path })));
    return faults;
  });
}

/** When a declared task is due; undefined where nothing but its upstreams makes it run. */
export function timesOfTask({ cron, timeZone = 'UTC' }: ToldTask): { cron: string; timeZone: string } | undefined {
  return cron === undefined ? undefined : { cron, timeZone };
}
