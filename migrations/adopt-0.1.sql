-- Brings a database with all migrations of Posthorn 0.1 to the baseline; the tables not named here are as they were.

-- 0.1 could not make its tables on Citus, so none are distributed; to distribute them now, with mail in them, was never tried.
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus') THEN
    RAISE EXCEPTION 'this database was made by Posthorn 0.1 on plain Postgres: it cannot be taken over where Citus is installed';
  END IF;
END $$;

-- Credentials and push subscriptions come to lie beside the account of their login. What has no login opens nothing.

CREATE TABLE app_password_by_user (user_id bigint NOT NULL, LIKE app_password INCLUDING DEFAULTS);
-- crosses accounts
INSERT INTO app_password_by_user SELECT l.user_id, a.* FROM app_password a JOIN login l ON l.login = a.login;
DROP TABLE app_password;
ALTER TABLE app_password_by_user RENAME TO app_password;
ALTER TABLE app_password ADD PRIMARY KEY (user_id, login, id);

CREATE TABLE token_by_user (user_id bigint NOT NULL, LIKE token INCLUDING DEFAULTS);
-- crosses accounts
INSERT INTO token_by_user SELECT l.user_id, t.* FROM token t JOIN login l ON l.login = t.login;
DROP TABLE token;
ALTER TABLE token_by_user RENAME TO token;
ALTER TABLE token ADD PRIMARY KEY (user_id, hash);
CREATE INDEX token_hash ON token (hash);

CREATE TABLE push_subscription_by_user (user_id bigint NOT NULL, LIKE push_subscription INCLUDING DEFAULTS);
-- crosses accounts
INSERT INTO push_subscription_by_user SELECT l.user_id, p.* FROM push_subscription p JOIN login l ON l.login = p.login;
DROP TABLE push_subscription;
ALTER TABLE push_subscription_by_user RENAME TO push_subscription;
ALTER TABLE push_subscription ADD PRIMARY KEY (user_id, login, id);

-- The list of what was applied counts from the baseline.
DROP TABLE migration;
