import type { BeApiOperations } from '@connecta/contracts';
import { compileTimes, nextSlot } from '@connecta/domain';
import { timesOfTask } from '@connecta/intake';
import type { OperationInput } from '@connecta/runtime';
import { ANY_CLIENT, type Registration, type ServiceAccount } from '@connecta/store';

type Body = OperationInput<BeApiOperations['registerWorker']>['body'];

/** The client whose orders a type's scheduled tasks are when its account may act for several. */
const DEFAULT_CLIENT = 'default';

/** The declared tasks of a (checked) registration as they are kept; undefined when it tells none. */
export function declaredOf(body: Body, account: ServiceAccount, now: Date): Registration['declared'] {
  if (!body.tasks) return undefined;
  const [only] = account.allowedClients;
  const client = account.allowedClients.length === 1 && only && only !== ANY_CLIENT ? only : DEFAULT_CLIENT;
  const schedules = body.tasks.flatMap((task) => {
    const times = timesOfTask(task);
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
