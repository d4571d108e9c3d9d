-- oldest program: 0.2.0

-- Legal holds: what the accounts in their scope destroy is kept until they are lifted. scope: an account's main address, or a
-- domain as "@example.org". On every node, since each new account of a domain is looked for here.
CREATE TABLE legal_hold (
  id text PRIMARY KEY,
  scope text NOT NULL,
  reason text NOT NULL,
  who text NOT NULL,
  placed_at timestamptz NOT NULL
);
SELECT replicate('legal_hold');

-- How long mail is kept: scope as above; mailbox: a role or a name, null for all. destroy_after, keep_for: days since it came.
CREATE TABLE retention_rule (
  id text PRIMARY KEY,
  scope text NOT NULL,
  mailbox text,
  destroy_after integer,
  keep_for integer,
  who text NOT NULL,
  created_at timestamptz NOT NULL
);
SELECT replicate('retention_rule');

-- What holds and rules say of the account: whether one covers it, and for how many days what it destroys is kept at least.
ALTER TABLE account ADD COLUMN is_held boolean NOT NULL DEFAULT false;
ALTER TABLE account ADD COLUMN keep_for integer;

-- Kept for a hold or a rule alone: the account's owner does not see it.
ALTER TABLE deleted_email ADD COLUMN hidden boolean NOT NULL DEFAULT false;
