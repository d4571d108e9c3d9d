-- Numbers of incoming messages; each process takes a block at a time.
CREATE SEQUENCE incoming_number INCREMENT BY 100;

-- The incoming message by which these recipients get local mail: chosen once, so a second attempt is a no-op.
ALTER TABLE delivery ADD COLUMN incoming_id bigint;

-- A submission that its client destroyed stays, unseen, until its deliveries have come to an end.
ALTER TABLE submission ADD COLUMN destroyed boolean NOT NULL DEFAULT false;
