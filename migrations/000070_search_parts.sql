-- The terms of a mail that is too long for one row of search; its row there has none.
CREATE TABLE search_part (
  user_id bigint NOT NULL,
  no bigint NOT NULL,
  part int NOT NULL,
  terms tsvector NOT NULL,
  PRIMARY KEY (user_id, no, part)
);
-- Phrases are looked for in the terms themselves: uncompressed, these are read in a fraction of the time.
ALTER TABLE search_part ALTER COLUMN terms SET STORAGE EXTERNAL;
SELECT distribute('search_part', 'user_id', 'account');
-- A row has so many terms that a list of pending ones would gain nothing.
CREATE INDEX search_part_terms ON search_part USING gin (terms) WITH (fastupdate = off);

-- How the terms were made; those of an older version are found as far as they go, until they are made anew.
ALTER TABLE search ADD COLUMN version smallint NOT NULL DEFAULT 0;

-- When terms were last made anew: what a search found before may differ, though no email has changed.
ALTER TABLE account ADD COLUMN reindexed_modseq bigint NOT NULL DEFAULT 0;
