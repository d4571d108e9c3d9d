-- used: the sizes of the account's emails together. quota: what they may come to, null for no limit; quota_id: the Quota of it.
ALTER TABLE account ADD COLUMN used bigint NOT NULL DEFAULT 0, ADD COLUMN quota bigint, ADD COLUMN quota_id bigint;

UPDATE account a SET used = e.used FROM (SELECT user_id, sum(size) AS used FROM email GROUP BY user_id) e
WHERE e.user_id = a.user_id;
