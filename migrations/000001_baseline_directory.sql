-- oldest program: 0.2.0

-- Migrations are the same on plain Postgres and on Citus. There each table says where it lies, as soon as it is made: in
-- the shard of its key (distribute), on every node (replicate), or, saying nothing, on the coordinator alone.
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

-- What operators change lies on every node, so that a dead one keeps nobody else from being found.

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
SELECT replicate('address');

CREATE TABLE login (
  login text PRIMARY KEY,
  user_id bigint NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL
);
SELECT replicate('login');

-- Accounts a login may open besides its own.
CREATE TABLE account_access (
  login text NOT NULL,
  account_id bigint NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (login, account_id)
);
SELECT replicate('account_access');

-- The queues of the whole installation lie on the coordinator: one node to ask, whichever of the others is dead.

-- Numbers of incoming messages; each process takes a block at a time.
CREATE SEQUENCE incoming_number INCREMENT BY 100;

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
  last_error text,
  -- Why the message goes to the Junk mailboxes of its recipients; null for the inbox.
  junk_reason text
);
CREATE INDEX incoming_lease ON incoming (leased_until);

-- Hints that workers claim from; a sweep over delivery restores a lost one.
CREATE TABLE due (
  user_id bigint NOT NULL,
  submission_id bigint NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, submission_id)
);
CREATE INDEX due_next ON due (next_attempt_at);

-- Processes that push, and until when they are believed to live without another word.
CREATE TABLE push_holder (
  name text PRIMARY KEY,
  alive_until timestamptz NOT NULL
);

-- Every row of an account carries user_id, first in each key and index (GIN apart).
CREATE TABLE account (
  user_id bigint PRIMARY KEY,
  name text NOT NULL,
  modseq bigint NOT NULL DEFAULT 0,
  last_id bigint NOT NULL DEFAULT 0,
  -- A restore from backup raises it: states of before are then unknown.
  epoch integer NOT NULL DEFAULT 1,
  -- Changes up to here may be gone from the log.
  pruned_modseq bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  -- The sizes of the account's emails together.
  used bigint NOT NULL DEFAULT 0,
  -- What they may come to, null for no limit; and the Quota of it.
  quota bigint,
  quota_id bigint,
  -- When terms were last made anew: what a search found before may differ, though no email has changed.
  reindexed_modseq bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
SELECT distribute('account', 'user_id', 'none');

-- App passwords of logins: each can be revoked alone. user_id is the login's own account.
CREATE TABLE app_password (
  user_id bigint NOT NULL,
  login text NOT NULL,
  id text NOT NULL,
  label text NOT NULL,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, login, id)
);
SELECT distribute('app_password', 'user_id', 'account');

-- Bearer tokens of logins, by the SHA-256 of their text, which names the account.
CREATE TABLE token (
  user_id bigint NOT NULL,
  hash bytea NOT NULL,
  id text NOT NULL,
  login text NOT NULL,
  label text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (user_id, hash)
);
SELECT distribute('token', 'user_id', 'account');
-- Those of before 0.2 name no account.
CREATE INDEX token_hash ON token (hash);

-- RFC 8620 §7.2: of a login rather than an account, and tied to the credential that made it.
CREATE TABLE push_subscription (
  user_id bigint NOT NULL,
  login text NOT NULL,
  id bigint NOT NULL,
  credential text NOT NULL,
  -- When the credential itself ends.
  credential_expires_at timestamptz,
  device_client_id text NOT NULL,
  url text NOT NULL,
  p256dh bytea,
  auth bytea,
  verification_code text NOT NULL,
  -- The push service took the verification.
  verification_sent boolean NOT NULL DEFAULT false,
  -- The client gave the code back.
  verified boolean NOT NULL DEFAULT false,
  expires_at timestamptz,
  types text[],
  created_at timestamptz NOT NULL,
  -- The process that pushes; any other may take over when it is gone.
  holder text,
  -- What the client has been told: after a restart it hears of what moved since.
  push_state text,
  attempts integer NOT NULL DEFAULT 0,
  failing_since timestamptz,
  next_attempt_at timestamptz,
  PRIMARY KEY (user_id, login, id)
);
SELECT distribute('push_subscription', 'user_id', 'account');

-- Networks where the password of the account's login was right: hashed under a key of the installation.
CREATE TABLE known_network (
  user_id bigint NOT NULL REFERENCES account (user_id) ON DELETE CASCADE,
  network bytea NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, network)
);
SELECT distribute('known_network', 'user_id', 'account');
