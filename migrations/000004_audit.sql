-- oldest program: 0.2.0

-- What operators did, in chains that show what was changed or taken out later: one for each account, which goes with it,
-- and that of the installation under user_id 0. Each row has the hash of the one before it.
CREATE TABLE audit (
  user_id bigint NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  who text NOT NULL,
  -- The act and the ids of what it was done to: no secrets, no contents.
  what jsonb NOT NULL,
  prev bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (user_id, seq)
);
SELECT distribute('audit', 'user_id', 'account');

-- Whoever adds to the chain of the installation locks this row, as the account's row is locked for that of an account.
INSERT INTO setting (name, value) VALUES ('audit', '');
