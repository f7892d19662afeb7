-- Who is told what: webhooks of orders, notices to the teams that own tasks, and their deliveries.
ALTER TABLE "orders" ADD COLUMN "webhook" TEXT;
ALTER TABLE "orders" ADD COLUMN "webhook_epoch" INTEGER NOT NULL DEFAULT 0;
CREATE INDEX "orders_webhook_due" ON "orders"("id")
  WHERE (webhook IS NOT NULL AND finished_at IS NOT NULL AND webhook_epoch < epoch);

ALTER TABLE "jobs" ADD COLUMN "told_attempt" INTEGER;
-- What failed before there were notices is no news.
UPDATE "jobs" SET told_attempt = attempt WHERE state = 'error';
CREATE INDEX "jobs_untold" ON "jobs"("id") WHERE (state = 'error'::text AND told_attempt IS DISTINCT FROM attempt);

ALTER TABLE "clients" ADD COLUMN "webhook_generation" INTEGER NOT NULL DEFAULT 1;

CREATE TABLE "notification_channels" (
  "id" UUID NOT NULL,
  "team" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "target" TEXT NOT NULL,
  "digest_ms" INTEGER NOT NULL DEFAULT 0,
  "enabled" BOOLEAN NOT NULL DEFAULT true,
  "disabled_reason" TEXT,
  "generation" INTEGER NOT NULL DEFAULT 1,
  "revision" INTEGER NOT NULL DEFAULT 1,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "notification_channels_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "notification_channels_team_target_key" ON "notification_channels"("team", "target");

CREATE TABLE "notices" (
  "id" UUID NOT NULL,
  "team" TEXT NOT NULL,
  "kind" TEXT NOT NULL,
  "dedup_key" TEXT NOT NULL,
  "subject" JSONB NOT NULL,
  "count" INTEGER NOT NULL DEFAULT 1,
  "told_count" INTEGER NOT NULL DEFAULT 0,
  "first_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "last_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "told_at" TIMESTAMPTZ(3),
  "due_at" TIMESTAMPTZ(3),
  CONSTRAINT "notices_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "notices_dedup_key_key" ON "notices"("dedup_key");
CREATE INDEX "notices_due" ON "notices"("due_at") WHERE (due_at IS NOT NULL);
CREATE INDEX "notices_last_at_idx" ON "notices"("last_at");

CREATE TABLE "deliveries" (
  "id" UUID NOT NULL,
  "kind" TEXT NOT NULL,
  "target" TEXT NOT NULL,
  "team" TEXT,
  "channel_id" UUID,
  "client_id" UUID,
  "order_id" UUID,
  "signed_as" TEXT NOT NULL,
  "body" JSONB NOT NULL,
  "collecting" BOOLEAN NOT NULL DEFAULT false,
  "state" TEXT NOT NULL DEFAULT 'due',
  "attempts" INTEGER NOT NULL DEFAULT 0,
  "next_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "last_status" INTEGER,
  "last_error" TEXT,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "ended_at" TIMESTAMPTZ(3),
  CONSTRAINT "deliveries_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "deliveries_due" ON "deliveries"("next_at") WHERE (state = 'due'::text);
CREATE UNIQUE INDEX "deliveries_collecting" ON "deliveries"("channel_id") WHERE collecting;
CREATE INDEX "deliveries_order_id_idx" ON "deliveries"("order_id") WHERE (order_id IS NOT NULL);
CREATE INDEX "deliveries_ended_at_idx" ON "deliveries"("ended_at") WHERE (ended_at IS NOT NULL);
