-- Networks where the password of the account's login was right: hashed under a key of the installation.
CREATE TABLE known_network (
  user_id bigint NOT NULL REFERENCES account (user_id) ON DELETE CASCADE,
  network bytea NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, network)
);
SELECT distribute('known_network', 'user_id', 'account');
