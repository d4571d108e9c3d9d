-- oldest program: 0.2.0

-- Emails that were destroyed, with what brings them back beside their body. The body's reference in blob_ref is released, so
-- that nobody reads it, and stays as long as the row here.
CREATE TABLE deleted_email (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  sha256 bytea NOT NULL,
  size integer NOT NULL,
  received_at timestamptz NOT NULL,
  mailbox_ids bigint[] NOT NULL,
  keywords text[] NOT NULL,
  taught_spam boolean,
  "from" text,
  subject text,
  scan text,
  authentication jsonb,
  deleted_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, id)
);
SELECT distribute('deleted_email', 'user_id', 'account');
CREATE INDEX deleted_email_age ON deleted_email (user_id, deleted_at, id);
CREATE INDEX deleted_email_blob ON deleted_email (user_id, sha256);

-- Mailboxes that were destroyed: an email that comes back may have been in one.
CREATE TABLE deleted_mailbox (
  user_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  parent_id bigint,
  role text,
  sort_order integer NOT NULL,
  is_subscribed boolean NOT NULL,
  deleted_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, id)
);
SELECT distribute('deleted_mailbox', 'user_id', 'account');
CREATE INDEX deleted_mailbox_age ON deleted_mailbox (user_id, deleted_at);

-- Accounts that were removed: their rows stay where they are, and what led to them is here (logins, addresses, shares). On the
-- coordinator.
CREATE TABLE removed_account (
  account_id bigint PRIMARY KEY,
  login text NOT NULL,
  removed_at timestamptz NOT NULL,
  what jsonb NOT NULL
);
CREATE INDEX removed_account_login ON removed_account (login);
CREATE INDEX removed_account_age ON removed_account (removed_at);
