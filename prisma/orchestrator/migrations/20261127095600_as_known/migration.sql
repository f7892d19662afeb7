-- Ends a transaction that was decided on what is no longer so: its statements travel together, so the database has to say.
CREATE OR REPLACE FUNCTION "as_known"("holds" BOOLEAN) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  IF "holds" IS NOT TRUE THEN
    RAISE EXCEPTION 'not as known' USING ERRCODE = 'CN409';
  END IF;
END
$$;
