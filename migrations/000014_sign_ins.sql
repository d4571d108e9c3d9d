-- oldest program: 0.2.0

-- Made by signing in to the inbox: it ends when the password is changed. agent: the User-Agent of the browser.
ALTER TABLE token ADD COLUMN is_web boolean NOT NULL DEFAULT false;
ALTER TABLE token ADD COLUMN agent text;

-- When it was used last, to within an hour, and from which network; null: not since this migration.
ALTER TABLE token ADD COLUMN used_at timestamptz;
ALTER TABLE token ADD COLUMN network text;
ALTER TABLE app_password ADD COLUMN used_at timestamptz;
ALTER TABLE app_password ADD COLUMN network text;
