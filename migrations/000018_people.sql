-- oldest program: 0.2.0

-- What an account's login proves itself by besides its password. A code generator (RFC 6238): the secret is sealed with a
-- key of the installation. last_step: of the newest code that was accepted, since none is accepted twice.
CREATE TABLE totp (
  user_id bigint PRIMARY KEY,
  secret text NOT NULL,
  last_step bigint NOT NULL,
  created_at timestamptz NOT NULL,
  used_at timestamptz
);
SELECT distribute('totp', 'user_id', 'account');

-- Web Authentication: id is that of the credential, public_key in COSE.
CREATE TABLE passkey (
  user_id bigint NOT NULL,
  id bytea NOT NULL,
  public_key bytea NOT NULL,
  counter bigint NOT NULL,
  transports text[] NOT NULL,
  label text NOT NULL,
  created_at timestamptz NOT NULL,
  used_at timestamptz,
  network text,
  PRIMARY KEY (user_id, id)
);
SELECT distribute('passkey', 'user_id', 'account');

-- By the SHA-256 of its text, which cannot be guessed. A used one is removed.
CREATE TABLE recovery_code (
  user_id bigint NOT NULL,
  hash bytea NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, hash)
);
SELECT distribute('recovery_code', 'user_id', 'account');

-- Whether the accounts of the domain must have a second factor.
ALTER TABLE domain ADD COLUMN needs_second_factor boolean NOT NULL DEFAULT false;

-- To make one account, by the SHA-256 of the token in its link. address: null if the guest chooses. A used one is removed.
CREATE TABLE invite (
  id text PRIMARY KEY,
  hash bytea NOT NULL UNIQUE,
  domain text NOT NULL,
  address text,
  who text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
SELECT replicate('invite');
