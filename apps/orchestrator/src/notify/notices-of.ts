import { compilePlan, stepsStoppedBy, type CompiledPlan } from '@connecta/domain';
import type { NewNotice, OfflineType, Owner, UntoldFailure } from '@connecta/store';

type Counted = NewNotice & { count: number };
type TeamOf = (workerType: string) => string;

/** How many orders a notice names: the rest is counted. */
const SHOWN_ORDERS = 5;
const OPERATORS = 'operators';
/** Errors that only pass on what others, who are told by themselves, failed for. */
const PASSED_ON: readonly string[] = ['item_failed', 'order_failed', 'order_cancelled'];

/**
 * Who is to know what: the team of the task that failed, and each other team whose tasks wait behind it and will not run
 * now. Failures of one task with one error code are one notice, however many orders they hit. A wait that nobody answered
 * is the operators' news; what a person rejected is nobody's.
 */
export function noticesOf(facts: {
  failures: readonly UntoldFailure[];
  offline: readonly OfflineType[];
  owners: readonly Owner[];
}): Counted[] {
  const teams = new Map(facts.owners.map(({ workerType, team }) => [workerType, team]));
  const teamOf: TeamOf = (workerType) => teams.get(workerType) ?? OPERATORS;
  const notices = new Map<string, Counted>();
  for (const failure of facts.failures) for (const notice of noticesOfFailure(failure, teamOf)) add(notices, notice);
  for (const { workerType, jobs, since } of facts.offline) {
    const subject = { workerType, jobs, since };
    // The same type is the same news: the oldest of its jobs changes all the time.
    add(notices, {
      ...{ team: teamOf(workerType), kind: 'offline', dedupKey: `offline ${workerType}`, subject },
      count: 1,
    });
  }
  return [...notices.values()];
}

function noticesOfFailure(failure: UntoldFailure, teamOf: TeamOf): Counted[] {
  const { step, item, kind, error } = failure;
  const plan = compilePlan(failure.plan);
  const planned = plan.steps.get(step);
  if (kind === 'wait' && error.code === 'rejected') return [];
  const passesOn = (kind === 'head' || kind === 'order') && PASSED_ON.includes(error.code);
  const owner = planned?.kind === 'task' ? teamOf(planned.workerType) : undefined;
  const task = planned?.kind === 'task' ? planned.uses : `step '${step}' of ${failure.workflowName ?? 'an order'}`;
  const noticeOf = (what: 'job_failed' | 'blocked', team: string, more: NewNotice['subject']): Counted => ({
    ...{ team, kind: what, dedupKey: `${what} ${team} ${task} ${error.code}`, count: 1 },
    subject: { task, error: { ...error }, orders: [seenIn(failure)], ...more },
  });
  const notices = passesOn ? [] : [noticeOf('job_failed', owner ?? OPERATORS, {})];
  // What items stop, the end of their list tells.
  if (item > 0) return notices;
  for (const [team, blocked] of stoppedTeams(failure, plan, teamOf)) {
    if (team === owner) continue;
    notices.push(noticeOf('blocked', team, { ...(owner === undefined ? {} : { owner }), blocked }));
  }
  return notices;
}

function seenIn({ orderId, clientName, workflowName, step, jobId, attempt }: UntoldFailure) {
  return { orderId, client: clientName, workflow: workflowName, step, jobId, attempt };
}

/** The tasks of each team that will not run for a failure. */
function stoppedTeams({ step, progress }: UntoldFailure, plan: CompiledPlan, teamOf: TeamOf): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of stepsStoppedBy(plan, step, progress)) {
    const planned = plan.steps.get(name);
    if (planned?.kind !== 'task') continue;
    const team = teamOf(planned.workerType);
    const tasks = found.get(team) ?? [];
    if (!tasks.includes(planned.uses)) found.set(team, [...tasks, planned.uses]);
  }
  return found;
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
