import { expect, test } from '@jest/globals';
import { consumersSuite } from './consumers.suite.ts';
import { deliveriesSuite } from './deliveries.suite.ts';
import { reportsSuite } from './reports.suite.ts';
import { suiteContext, type SuiteStore } from './suite-context.ts';

/** What every backend of the queue port must do; `store` is called when the tests run. */
export function queueSuite(store: () => SuiteStore): void {
  const ctx = suiteContext(store);
  deliveriesSuite(ctx);
  consumersSuite(ctx);
  reportsSuite(ctx);
  test('a store that is set up well passes the check', async () => {
    await expect(ctx.openOne().check()).resolves.toBeUndefined();
  });
}
