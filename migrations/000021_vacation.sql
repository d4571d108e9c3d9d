-- VacationResponse (RFC 8621 §8); an account without a row has the defaults.
CREATE TABLE vacation (
  user_id bigint NOT NULL PRIMARY KEY,
  is_enabled boolean NOT NULL,
  from_date timestamptz,
  to_date timestamptz,
  subject text,
  text_body text,
  html_body text
);
SELECT distribute('vacation', 'user_id', 'account');

-- Who was answered when: nobody is answered again for some days.
CREATE TABLE vacation_answer (
  user_id bigint NOT NULL,
  sender text NOT NULL,
  answered_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, sender)
);
SELECT distribute('vacation_answer', 'user_id', 'account');
