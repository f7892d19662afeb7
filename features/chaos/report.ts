import type { ChaosReport } from './run-chaos.ts';

/** What a run came to, for people. */
export function linesOf({ kept, faults, recoveries, met, scenarios }: ChaosReport): string[] {
  const recoveryOf = new Map(recoveries.map((recovery) => [recovery.id, recovery]));
  const injections = faults.reduce((sum, fault) => sum + fault.injections, 0);
  const hits = faults.reduce((sum, fault) => sum + fault.hits, 0);
  return [
    ...(kept
      ? [
          `${kept.orders} orders, all completed: ${kept.steps} steps, each with one accepted result and one effect; every history replays`,
          `${kept.attemptsAStep.toFixed(3)} attempts a step, ${kept.lateReports} late reports refused`,
        ]
      : []),
    ...(met
      ? [
          `${met.repeated} orders asked for more than once, ${met.unanswered} requests without an answer, ${met.refused} answered 503; none placed twice`,
          `${met.followed} orders whose events were followed, ${met.broken} streams broken off; each event came once`,
        ]
      : []),
    ...(injections > 0 ? [`${injections} faults injected, ${hits} of them hit work of their victim`] : []),
    ...faults.map(({ id, title, injections: times, hits: own, work, of, seen }) => {
      const recovery = recoveryOf.get(id);
      const told = recovery
        ? `; whole again after ${seconds(recovery.medianMs)} s, at most ${seconds(recovery.maxMs)} s`
        : '';
      const more = seen.length > 0 ? `; ${JSON.stringify(seen)}` : '';
      return `${id} ${title}: ${own} of ${times} hit ${work} ${of}${told}${more}`;
    }),
    ...scenarios.map(({ id, title, seen }) => `${id} ${title}: ${seen}`),
  ];
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);
