import type { Scene } from '../scene.ts';
import { PATIENCE_MS } from '../scene.ts';

/** Rule 1: the first registration finds be-api away, the second loses its answer. */
export async function registers({ fake, worker, verdicts }: Scene): Promise<boolean> {
  const registrations = (): number => fake.presences.filter(({ registration }) => registration.slots > 0).length;
  await fake.until(() => registrations() > 1 || worker.ended, PATIENCE_MS * 2);
  return verdicts.check(
    1,
    fake.runner !== undefined && registrations() > 1,
    `there were ${registrations()} registrations of a process with slots; the first two were made to go wrong`,
  );
}

/** Rule 4: be-api answers 503 for a while. */
export async function outlivesAnOutage(scene: Scene): Promise<void> {
  const { fake, verdicts, worker } = scene;
  const outage = fake.faults.plan('POST', /./, { kind: 'status', status: 503, code: 'unavailable' }, Infinity);
  // What waits is answered with nothing, so that the worker comes again and finds be-api away.
  fake.cutClaims();
  const from = fake.calls.length;
  const outageMs = 3_000;
  await scene.pause(outageMs);
  const calls = fake.calls.length - from;
  outage.end();
  if (!verdicts.check(4, !worker.ended, `the worker ended while be-api was away: ${worker.said.slice(-500)}`)) return;
  verdicts.check(4, calls <= 60, `${calls} calls in ${outageMs} ms to a be-api that answers 503`);
  await scene.works(4, 'after be-api was away');
}

/** Rule 5: the registration is gone. */
export async function registersAgain(scene: Scene): Promise<void> {
  const { fake, verdicts } = scene;
  const before = fake.presences.length;
  for (const presence of fake.presences) presence.gone = true;
  await scene.until(() => fake.presences.length > before && fake.runner !== undefined);
  if (verdicts.check(5, fake.runner !== undefined, 'told 410, the worker did not register again')) {
    await scene.works(5, 'after registering again');
  }
}

/** Rule 6, over everything that happened and a few claims more. */
export async function claimsWithinItsSlots(scene: Scene): Promise<void> {
  const { fake, verdicts } = scene;
  for (let cuts = 0; cuts < 3; cuts++) {
    const before = fake.claims.length;
    fake.cutClaims();
    await scene.until(() => fake.claims.length > before);
  }
  const slots = fake.runner?.registration.slots ?? 1;
  const seen = new Map<string, boolean>();
  for (const claim of fake.claims) {
    verdicts.check(6, claim.slots <= slots, `it claimed ${claim.slots} jobs with ${slots} slots`);
    const answered = seen.get(claim.requestId);
    verdicts.check(
      6,
      answered !== true,
      `it used the request id ${claim.requestId} again after its answer had arrived`,
    );
    seen.set(claim.requestId, claim.answered);
  }
  if (fake.claims.length === 0) verdicts.fail(6, 'it never claimed');
  if (fake.overfull) verdicts.fail(6, 'it claimed more than it had slots free');
}

/** Rule 2, over everything that happened. */
export async function spoke({ fake, verdicts, transport }: Scene): Promise<void> {
  if (transport === 'http') await fake.until(() => fake.calls.some(({ path }) => path === '/v1/jobs/claim'), 3_000);
  await fake.until(() => fake.calls.every(({ status, fault }) => status !== 400 || fault !== undefined), 1_000);
  const faults = fake.calls.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
  const [fault] = [...faults, ...fake.badReports];
  verdicts.check(2, fault === undefined, fault ?? '');
}
