-- Deliveries whose outcome stands, but not yet in the change log: their lease is still there.
CREATE INDEX delivery_unlogged ON delivery (user_id, submission_id) WHERE state <> 'queued' AND leased_by IS NOT NULL;
