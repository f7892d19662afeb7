-- AlterTable
ALTER TABLE "blobs" ADD COLUMN     "created_by" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "uploads" ADD COLUMN     "hash_state" BYTEA,
ADD COLUMN     "lock_token" UUID,
ADD COLUMN     "locked_until" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "blobs_unsettled" ON "blobs"("created_at") WHERE (state <> 'ready');

-- CreateIndex
CREATE INDEX "uploads_expires_at_idx" ON "uploads"("expires_at");
