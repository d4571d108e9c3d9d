-- oldest program: 0.2.0

-- Exports that users ask for: done of total messages are written. sha256 and size are of the archive once it is there, until
-- expires_at; before and afterwards sha256 is empty. hidden: its user has removed it.
CREATE TABLE data_export (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  state text NOT NULL,
  created_at timestamptz NOT NULL,
  done integer NOT NULL,
  total integer NOT NULL,
  attempts integer NOT NULL,
  leased_until timestamptz,
  sha256 bytea NOT NULL,
  size bigint NOT NULL,
  expires_at timestamptz,
  hidden boolean NOT NULL,
  PRIMARY KEY (user_id, id)
);
SELECT distribute('data_export', 'user_id', 'account');
CREATE INDEX data_export_blob ON data_export (user_id, sha256);
CREATE INDEX data_export_open ON data_export (user_id, leased_until) WHERE state IN ('waiting', 'running');
CREATE INDEX data_export_expiry ON data_export (user_id, expires_at) WHERE expires_at IS NOT NULL;
