-- Deliveries that be-api handed out over HTTP.
CREATE TABLE "job_claims" (
  "job_id" UUID NOT NULL,
  "attempt" INTEGER NOT NULL,
  "instance_id" UUID NOT NULL,
  "request_id" TEXT NOT NULL,
  "function" TEXT NOT NULL,
  "message" JSON NOT NULL,
  "start_ms" INTEGER NOT NULL,
  "complete_ms" INTEGER NOT NULL,
  "claimed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "ack_by" TIMESTAMPTZ(3) NOT NULL,
  "acked_at" TIMESTAMPTZ(3),
  "recorded_hash" TEXT,
  "refused_hash" TEXT,
  "ended_at" TIMESTAMPTZ(3),
  CONSTRAINT "job_claims_pkey" PRIMARY KEY ("job_id", "attempt")
);
CREATE INDEX "job_claims_instance_id_request_id_idx" ON "job_claims"("instance_id", "request_id");
CREATE INDEX "job_claims_claimed_at_idx" ON "job_claims"("claimed_at");
CREATE INDEX "job_claims_open" ON "job_claims"("ack_by") WHERE (ended_at IS NULL);
