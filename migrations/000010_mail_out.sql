-- oldest program: 0.2.0

-- Mail to many (newsletters, lists): it goes after a person's mail.
ALTER TABLE submission ADD COLUMN bulk boolean NOT NULL DEFAULT false;
ALTER TABLE due ADD COLUMN bulk boolean NOT NULL DEFAULT false;
-- Workers claim a person's mail first, each kind in the order of time.
CREATE INDEX due_kind_next ON due (bulk, next_attempt_at);

-- The sender was told that this recipient waits.
ALTER TABLE delivery ADD COLUMN warned boolean NOT NULL DEFAULT false;
