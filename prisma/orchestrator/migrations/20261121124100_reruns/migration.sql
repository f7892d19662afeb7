-- AlterTable: an order that runs another one again; the context that root steps get; the result cache (null: by the steps)
ALTER TABLE "orders" ADD COLUMN     "rerun_of" UUID,
ADD COLUMN     "rerun_from" TEXT,
ADD COLUMN     "context" JSONB,
ADD COLUMN     "cache_ttl_ms" BIGINT;

-- AlterTable: what a job's result depends on, the contexts that it was given, and whose result it took over
ALTER TABLE "jobs" ADD COLUMN     "fingerprint" TEXT,
ADD COLUMN     "context_in" JSONB,
ADD COLUMN     "origin" JSONB;

-- AlterTable: version and cacheability by function, small enough to be read with every order
ALTER TABLE "worker_types" ADD COLUMN     "function_facts" JSONB NOT NULL DEFAULT '{}';

UPDATE "worker_types" t SET "function_facts" = coalesce((
  SELECT jsonb_object_agg(f->>'name', jsonb_strip_nulls(jsonb_build_object('version', f->'version', 'cacheable', f->'cacheable')))
  FROM jsonb_array_elements(CASE WHEN jsonb_typeof(t."functions") = 'array' THEN t."functions" ELSE '[]' END) f
  WHERE f->>'name' IS NOT NULL), '{}');

-- CreateTable
CREATE TABLE "cached_results" (
    "client_id" UUID NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "job_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "cached_results_pkey" PRIMARY KEY ("client_id","fingerprint")
);

-- CreateIndex
CREATE INDEX "cached_results_expires_at_idx" ON "cached_results"("expires_at");

-- CreateIndex
CREATE INDEX "orders_rerun_of_idx" ON "orders"("rerun_of") WHERE (rerun_of IS NOT NULL);
