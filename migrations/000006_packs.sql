-- oldest program: 0.2.0

-- Where a body is that was written together with others: the id of the pack (16 bytes), which belongs to its name beside
-- day and hash, and where in the pack it began (4 bytes). Null for an object of its own.
ALTER TABLE blob_ref ADD COLUMN pack bytea;
ALTER TABLE incoming ADD COLUMN pack bytea;

-- Bodies in packs that an account let go of, as dead_object has the others: each pack is written again once for all of them.
CREATE TABLE dead_member (
  -- The id alone.
  pack bytea NOT NULL,
  sha256 bytea NOT NULL,
  day date NOT NULL,
  died_at timestamptz NOT NULL,
  PRIMARY KEY (pack, sha256)
);
SELECT distribute('dead_member', 'pack', 'none');
CREATE INDEX dead_member_age ON dead_member (died_at);
