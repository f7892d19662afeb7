-- Lists that their own items extend: what items returned, how long the list was that they were computed with, and how far
-- its head is. The index finds heads whose items are all at rest. The table was never written to.
ALTER TABLE "jobs" ADD COLUMN IF NOT EXISTS "new_items" JSONB,
  ADD COLUMN IF NOT EXISTS "items_seen" INTEGER,
  ADD COLUMN IF NOT EXISTS "superseded" INTEGER,
  ADD COLUMN IF NOT EXISTS "items_extension" JSONB;
CREATE INDEX IF NOT EXISTS "jobs_new_items" ON "jobs"("order_id", "step", "item") WHERE (new_items IS NOT NULL);
CREATE INDEX IF NOT EXISTS "jobs_heads" ON "jobs"("id") WHERE (state = 'waiting' AND kind = 'head');
DROP TABLE IF EXISTS "added_items";
