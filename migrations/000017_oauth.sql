-- oldest program: 0.2.0

-- Programs for browsers that the operator registered for OAuth 2.0. Others register themselves: their ids say all, so they have no rows.
CREATE TABLE oauth_client (
  id text PRIMARY KEY,
  name text NOT NULL,
  redirect_uris text[] NOT NULL,
  created_at timestamptz NOT NULL
);
SELECT replicate('oauth_client');

-- What somebody allowed a program to do. It begins with a code, which the program redeems for its first tokens.
CREATE TABLE oauth_grant (
  user_id bigint NOT NULL,
  id text NOT NULL,
  login text NOT NULL,
  client_id text NOT NULL,
  -- As the consent page named the program.
  name text NOT NULL,
  is_verified boolean NOT NULL,
  scope text NOT NULL,
  created_at timestamptz NOT NULL,
  code_hash bytea NOT NULL,
  code_expires_at timestamptz NOT NULL,
  redirect_uri text NOT NULL,
  challenge text NOT NULL,
  -- SHA-256 of what all its refresh tokens have in common, and of the newest whole one. Null: the code waits to be redeemed.
  family_hash bytea,
  refresh_hash bytea,
  -- When it last got tokens, and from which network.
  used_at timestamptz,
  network text,
  PRIMARY KEY (user_id, id)
);
SELECT distribute('oauth_grant', 'user_id', 'account');

-- The grant that the token is an access token of; null: of none. scope: what such a token may be used for.
ALTER TABLE token ADD COLUMN grant_id text;
ALTER TABLE token ADD COLUMN scope text;
