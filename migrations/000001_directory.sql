-- The same file runs on plain Postgres and on Citus. There each table is distributed by its key, colocated with account.
CREATE FUNCTION distribute(target regclass, key text, beside text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    EXECUTE format('SELECT create_distributed_table(%L, %L, colocate_with => %L)', target::text, key, beside);
  END IF;
END $$;

CREATE FUNCTION replicate(target regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    EXECUTE format('SELECT create_reference_table(%L)', target::text);
  END IF;
END $$;

-- Secrets and facts of the installation: nearly static.
CREATE TABLE setting (
  name text PRIMARY KEY,
  value text NOT NULL
);
SELECT replicate('setting');

CREATE TABLE domain (
  name text PRIMARY KEY,
  dkim_selector text NOT NULL,
  dkim_key text NOT NULL,
  created_at timestamptz NOT NULL
);
SELECT replicate('domain');

CREATE SEQUENCE account_number;

-- Where mail for an address goes; '@example.org' is the domain's catch-all. Written last, after the account.
CREATE TABLE address (
  address text PRIMARY KEY,
  user_id bigint NOT NULL,
  created_at timestamptz NOT NULL
);
SELECT distribute('address', 'address', 'none');

CREATE TABLE login (
  login text PRIMARY KEY,
  user_id bigint NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL
);
SELECT distribute('login', 'login', 'none');

-- App passwords: each can be revoked alone.
CREATE TABLE app_password (
  login text NOT NULL,
  id text NOT NULL,
  label text NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (login, id)
);
SELECT distribute('app_password', 'login', 'login');

-- Accounts a login may open besides its own.
CREATE TABLE account_access (
  login text NOT NULL,
  account_id bigint NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (login, account_id)
);
SELECT distribute('account_access', 'login', 'login');

-- Bearer tokens, by the SHA-256 of their text.
CREATE TABLE token (
  hash bytea PRIMARY KEY,
  id text NOT NULL,
  login text NOT NULL,
  label text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz
);
SELECT distribute('token', 'hash', 'none');

-- Messages accepted over SMTP and not yet in every recipient's account. recipients: [{address, userId, done}].
CREATE TABLE incoming (
  id bigint PRIMARY KEY,
  created_at timestamptz NOT NULL,
  sha256 bytea NOT NULL,
  day date NOT NULL,
  size integer NOT NULL,
  mail_from text NOT NULL,
  recipients jsonb NOT NULL,
  leased_by text NOT NULL,
  leased_until timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  last_error text
);
SELECT distribute('incoming', 'id', 'none');
CREATE INDEX incoming_lease ON incoming (leased_until);
