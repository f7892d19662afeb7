import { expect, test } from '@jest/globals';
import { leaseKey, newId, readLease, type JobId, type OrderId, type ProfileId } from '@connecta/contracts';
import { toDelivery, type Command } from './command.ts';

test('a run that may take a week still has a lease after four days, however long it waited before', () => {
  const key = leaseKey('k'.repeat(43));
  const day = 24 * 3_600_000;
  const job = {
    ...{ id: newId<JobId>(), orderId: newId<OrderId>(), step: 'a', item: 0, input: 1 },
    ...{ workerType: 'w', function: 'f', profileId: newId<ProfileId>(), profileRevision: 1 },
  };
  const command: Command = {
    ...{ job, attempt: 1, context: null, params: {}, traceparent: '', priority: 5 },
    timers: { completeCapMs: 7 * day },
  };
  const lease = readLease(key, toDelivery(key, command, 0).data.lease);
  expect(lease?.expiresAtMs).toBeGreaterThan((30 + 7) * day);
});
