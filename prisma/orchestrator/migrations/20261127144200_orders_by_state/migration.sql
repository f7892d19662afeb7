-- Lists of orders in one state, newest first: what is under way or has failed is found without a walk through all that has
-- completed. Active orders have such an index already.
CREATE INDEX IF NOT EXISTS "orders_accepted_by_id" ON "orders"("id") WHERE (state = 'accepted');
CREATE INDEX IF NOT EXISTS "orders_failed" ON "orders"("id") WHERE (state = 'failed');
CREATE INDEX IF NOT EXISTS "orders_cancelled" ON "orders"("id") WHERE (state = 'cancelled');
