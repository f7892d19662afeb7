import type { JsonValue } from '@connecta/contracts';
import type { NewNotice, OfflineType, Owner, UntoldFailure } from '@connecta/store';

type Counted = NewNotice & { count: number };

/** How many orders a notice names: the rest is counted. */
const SHOWN_ORDERS = 5;
const UNOWNED = 'operators';

/**
 * Who is to know what: the team of the task that failed, and each other team whose tasks wait behind it and will not run
 * now. Failures of one task with one error code are one notice, however many orders they hit.
 */
export function noticesOf(facts: {
  failures: readonly UntoldFailure[];
  offline: readonly OfflineType[];
  owners: readonly Owner[];
}): Counted[] {
  const teams = new Map(facts.owners.map(({ workerType, team }) => [workerType, team]));
  const teamOf = (workerType: string): string => teams.get(workerType) ?? UNOWNED;
  const notices = new Map<string, Counted>();
  for (const failure of facts.failures) {
    const owner = teamOf(failure.workerType);
    add(notices, failedNotice(failure, owner));
    for (const [team, tasks] of blockedTeams(failure, teamOf))
      if (team !== owner) add(notices, blockedNotice(failure, { team, tasks, owner }));
  }
  for (const { workerType, jobs, since } of facts.offline) {
    const subject = { workerType, jobs, since };
    add(notices, {
      ...{ team: teamOf(workerType), kind: 'offline', dedupKey: `offline ${workerType} ${since}`, subject },
      count: 1,
    });
  }
  return [...notices.values()];
}

function failedNotice(failure: UntoldFailure, team: string): Counted {
  const task = taskOf(failure);
  const dedupKey = `job_failed ${team} ${task} ${failure.error.code}`;
  return { team, kind: 'job_failed', dedupKey, subject: subjectOf(failure, task), count: 1 };
}

function blockedNotice(
  failure: UntoldFailure,
  { team, tasks, owner }: { team: string; tasks: readonly string[]; owner: string },
): Counted {
  const task = taskOf(failure);
  const subject = { ...subjectOf(failure, task), owner, blocked: [...tasks] };
  return { team, kind: 'blocked', dedupKey: `blocked ${team} ${task} ${failure.error.code}`, subject, count: 1 };
}

function subjectOf({ error, orderId, clientName, workflowName, step, jobId, attempt }: UntoldFailure, task: string) {
  return {
    task,
    error: { ...error } as { [name: string]: JsonValue },
    orders: [{ orderId, client: clientName, workflow: workflowName, step, jobId, attempt }],
  };
}

/** The tasks of each team that stand behind the failed step, near or far. */
function blockedTeams({ plan, step }: UntoldFailure, teamOf: (workerType: string) => string): Map<string, string[]> {
  const behind = new Set([step]);
  const found = new Map<string, string[]>();
  // Steps stand behind what they need, so one pass finds all.
  for (const [name, planned] of Object.entries(plan.steps)) {
    if (!planned.needs.some((need) => behind.has(need))) continue;
    behind.add(name);
    if (!('workerType' in planned)) continue;
    const team = teamOf(planned.workerType);
    const tasks = found.get(team) ?? [];
    if (!tasks.includes(planned.uses)) found.set(team, [...tasks, planned.uses]);
  }
  return found;
}

function taskOf({ plan, step, workerType, function: name }: UntoldFailure): string {
  const planned = plan.steps[step];
  return planned && 'uses' in planned ? planned.uses : `${workerType}/${name}`;
}

/** The same news of one turn is one notice that names the first few orders. */
function add(notices: Map<string, Counted>, notice: Counted): void {
  const known = notices.get(notice.dedupKey);
  if (!known) {
    notices.set(notice.dedupKey, notice);
    return;
  }
  known.count += notice.count;
  const [orders, more] = [known.subject['orders'], notice.subject['orders']];
  if (Array.isArray(orders) && Array.isArray(more) && orders.length < SHOWN_ORDERS) orders.push(...more);
}
