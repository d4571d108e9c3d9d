-- Released references that a sweep has yet to drop.
CREATE INDEX blob_ref_released ON blob_ref (user_id, released_at) WHERE released_at IS NOT NULL;

-- Objects that an account let go of: removed unless another account holds a reference. Global, by its own key.
CREATE TABLE dead_object (
  sha256 bytea NOT NULL,
  day date NOT NULL,
  died_at timestamptz NOT NULL,
  PRIMARY KEY (sha256, day)
);
SELECT distribute('dead_object', 'sha256', 'none');
