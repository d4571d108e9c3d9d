-- RFC 8620 §7.2: of a login rather than an account, and tied to the credential that made it.
CREATE TABLE push_subscription (
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
  PRIMARY KEY (login, id)
);
SELECT distribute('push_subscription', 'login', 'login');

-- Processes that push, and until when they are believed to live without another word.
CREATE TABLE push_holder (
  name text PRIMARY KEY,
  alive_until timestamptz NOT NULL
);
SELECT distribute('push_holder', 'name', 'none');
