-- Orders that go first, and orders of which only so many run at once.
ALTER TABLE "orders" ADD COLUMN "priority" INTEGER NOT NULL DEFAULT 5,
  ADD COLUMN "concurrency_key" TEXT,
  ADD COLUMN "concurrency_max" INTEGER;
DROP INDEX "orders_accepted";
CREATE INDEX "orders_accepted" ON "orders"("priority" DESC, "id") WHERE (state = 'accepted' AND concurrency_key IS NULL);
CREATE INDEX "orders_held" ON "orders"("concurrency_key", "priority" DESC, "id") WHERE (state = 'accepted' AND concurrency_key IS NOT NULL);
CREATE INDEX "orders_running" ON "orders"("concurrency_key") WHERE (state = 'active' AND concurrency_key IS NOT NULL);
