-- What plans pin of a function, apart from its schemas: an order's intake reads it, and must not unpack those.
ALTER TABLE "worker_types" ADD COLUMN "behaviour" JSONB NOT NULL DEFAULT '{}';
UPDATE "worker_types" SET "behaviour" = coalesce((
  SELECT jsonb_object_agg(f->>'name', jsonb_strip_nulls(jsonb_build_object(
    'version', f->'version', 'cacheable', f->'cacheable', 'timers', f->'timers')))
  FROM jsonb_array_elements("functions") f), '{}');
