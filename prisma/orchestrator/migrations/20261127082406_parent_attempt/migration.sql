-- Which attempt of its job an order is for.
ALTER TABLE "orders" ADD COLUMN "parent_attempt" INTEGER;
