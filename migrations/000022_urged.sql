-- oldest program: 0.2.0

-- When an operator asked for an attempt at once; null again after it.
ALTER TABLE delivery ADD COLUMN urged_at timestamptz;
