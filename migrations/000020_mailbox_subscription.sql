-- Whether a login sees a mailbox of an account that is not its own (RFC 8621 §2); the owner's view is mailbox.is_subscribed.
CREATE TABLE mailbox_subscription (
  user_id bigint NOT NULL,
  login text NOT NULL,
  mailbox_id bigint NOT NULL,
  PRIMARY KEY (user_id, login, mailbox_id)
);
SELECT distribute('mailbox_subscription', 'user_id', 'account');
