-- CreateTable
CREATE TABLE "schedules" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "times" JSONB NOT NULL,
    "order" JSONB NOT NULL,
    "overlap" TEXT NOT NULL,
    "missed" TEXT NOT NULL,
    "max_catch_up" INTEGER NOT NULL,
    "paused" BOOLEAN NOT NULL DEFAULT false,
    "owner" TEXT,
    "next_at" TIMESTAMPTZ(3),
    "problem" JSONB,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schedules_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "schedule_ticks" (
    "schedule_id" UUID NOT NULL,
    "slot" TIMESTAMPTZ(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "order_id" UUID,
    "reason" TEXT,
    "problem" JSONB,
    "settled" BOOLEAN NOT NULL DEFAULT true,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schedule_ticks_pkey" PRIMARY KEY ("schedule_id","slot")
);

-- CreateIndex
CREATE UNIQUE INDEX "schedules_name_key" ON "schedules"("name");

-- CreateIndex
CREATE INDEX "schedules_due" ON "schedules"("next_at") WHERE (NOT paused);

-- CreateIndex
CREATE INDEX "schedules_owner_idx" ON "schedules"("owner") WHERE (owner IS NOT NULL);

-- CreateIndex
CREATE INDEX "schedule_ticks_unsettled" ON "schedule_ticks"("schedule_id") WHERE (NOT settled);

-- CreateIndex
CREATE INDEX "schedule_ticks_queued" ON "schedule_ticks"("schedule_id", "slot") WHERE (state = 'queued');

-- AddForeignKey
ALTER TABLE "schedule_ticks" ADD CONSTRAINT "schedule_ticks_schedule_id_fkey" FOREIGN KEY ("schedule_id") REFERENCES "schedules"("id") ON DELETE CASCADE ON UPDATE CASCADE;
