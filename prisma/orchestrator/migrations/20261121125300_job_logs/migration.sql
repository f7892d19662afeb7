-- What functions logged, by attempt, as their workers sent it: a batch of lines in a row.
CREATE TABLE "job_logs" (
    "job_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "first" INTEGER NOT NULL,
    "count" INTEGER NOT NULL,
    "bytes" INTEGER NOT NULL,
    "full" BOOLEAN NOT NULL DEFAULT false,
    "lines" JSON NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_logs_pkey" PRIMARY KEY ("job_id","attempt","first")
);
CREATE INDEX "job_logs_at_idx" ON "job_logs"("at");
