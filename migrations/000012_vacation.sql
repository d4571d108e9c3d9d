-- VacationResponse of RFC 8621 §8; an account without a row has none.
CREATE TABLE vacation (
  user_id bigint PRIMARY KEY,
  is_enabled boolean NOT NULL,
  from_date timestamptz,
  to_date timestamptz,
  subject text,
  text_body text,
  html_body text
);
SELECT distribute('vacation', 'user_id', 'account');

-- Who has had an answer, and when.
CREATE TABLE vacation_answer (
  user_id bigint NOT NULL,
  sender text NOT NULL,
  answered_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, sender)
);
SELECT distribute('vacation_answer', 'user_id', 'account');
