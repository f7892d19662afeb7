import { CliError, EXIT } from '../failures.ts';
import { spanText } from '../output/value-text.ts';
import type { Session } from '../session.ts';
import type { Finding } from './finding.ts';

/** An order that nobody has taken up for so long waits for an engine, not for its turn. */
const STUCK_MS = 15_000;

/** Whether every worker type that has work is live, and where work piles up. */
export async function examineWorkers({ api }: Session): Promise<Finding[]> {
  try {
    const [stats, types] = await Promise.all([
      api.take(api.client.GET('/v1/stats')),
      api.take(api.client.GET('/v1/workers')),
    ]);
    if (types.items.length === 0) {
      return [
        {
          name: 'workers',
          state: 'warn',
          message: 'No worker type has ever registered.',
          hint: 'Start a worker: docs/workers.md',
        },
      ];
    }
    const contact = new Map(types.items.map(({ type, owner }) => [type, `${owner.team} <${owner.contact}>`]));
    return stats.workers
      .toSorted((a, b) => Number(b.waiting > 0 && b.ready === 0) - Number(a.waiting > 0 && a.ready === 0))
      .map(({ type, ready, draining, slots, freeSlots, waiting }): Finding => {
        const jobs = `${waiting} ${waiting === 1 ? 'job waits' : 'jobs wait'}`;
        if (ready > 0) {
          const busy = waiting > 0 ? `; ${jobs}` : '';
          return { name: type, state: 'ok', message: `${ready} live, ${freeSlots} of ${slots} slots free${busy}` };
        }
        const leaving = draining > 0 ? ` (${draining} draining)` : '';
        if (waiting === 0)
          return {
            name: type,
            state: 'warn',
            message: `No live worker of type '${type}'${leaving}; nothing waits for one.`,
          };
        return {
          name: type,
          state: 'bad',
          message: `No live worker of type '${type}'${leaving}, and ${jobs} for one.`,
          hint: `Start a runner of '${type}', or tell its owner: ${contact.get(type) ?? 'unknown'}`,
          exitCode: EXIT.unavailable,
        };
      });
  } catch (error) {
    return [notTold('workers', error)];
  }
}

/** Whether an orchestrator takes up what was accepted. */
export async function examineEngine({ api }: Session): Promise<Finding> {
  try {
    const before = new Date(Date.now() - STUCK_MS).toISOString();
    const { items } = await api.take(
      api.client.GET('/v1/orders', { params: { query: { state: ['accepted'], createdBefore: before, limit: 100 } } }),
    );
    const oldest = items.at(-1);
    if (!oldest) return { name: 'engine', state: 'ok', message: 'no order waits to be taken up' };
    return {
      name: 'engine',
      state: 'bad',
      message: `No orchestrator takes orders up: ${items.length}${items.length === 100 ? ' or more' : ''} wait, one for ${spanText(Date.now() - Date.parse(oldest.createdAt))}.`,
      hint: 'Is the orchestrator up, and its queue (Redis) usable? Its log says why it stopped.',
      exitCode: EXIT.unavailable,
    };
  } catch (error) {
    return notTold('engine', error);
  }
}

/** A key that may not look is no fault of the installation. */
function notTold(name: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const forbidden = error instanceof CliError && error.exitCode === EXIT.notAllowed;
  return forbidden
    ? { name, state: 'skipped', message: 'this key may not look at it' }
    : { name, state: 'bad', message, exitCode: EXIT.unavailable };
}
