import type { FeApiOperations } from '@connecta/contracts';
import { answer, requireRole } from '@connecta/runtime';
import type { Store } from '@connecta/store';
import { Router } from 'express';
import { StatsReader } from '../stats/stats-reader.ts';

/** What is going on now. */
export function statsRouter({ store }: { store: Store }): Router {
  const router = Router();
  const reader = new StatsReader(store);
  router.get('/v1/stats', requireRole('admin', 'operator', 'viewer'), async (_req, res) => {
    answer<FeApiOperations['getStats'], 200>(res, 200, await reader.read());
  });
  return router;
}
