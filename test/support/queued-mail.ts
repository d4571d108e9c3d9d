import { encodeId, idPrefix } from "../../src/base/ids.ts";
import { unprepared } from "../../src/store/core/sql.ts";
import type { Store } from "../../src/store/core/store.ts";
import { hintQueued } from "../../src/store/queues/due.ts";

/** A mail of an account that waits for its next attempt, as if it had been put off once. Returns its id at the operators' door. */
export async function queueMail(store: Store, userId: number, from: string, to: string): Promise<string> {
  const { database, clock } = store;
  const now = clock.now();
  const later = new Date(now.getTime() + 600_000);
  const [{ id }] = (await database.run(
    unprepared<{ id: number }>("/* test */ SELECT coalesce(max(id), 0) + 1 AS id FROM submission WHERE user_id = $1"),
    [userId],
  )) as [{ id: number }];
  const envelope = { mailFrom: { email: from, parameters: null }, rcptTo: [{ email: to, parameters: null }] };
  await database.run(
    unprepared(`/* test */ INSERT INTO submission (user_id, id, identity_id, email_id, thread_id, envelope, sha256, send_at,
      undo_status, created_at) VALUES ($1, $2, 1, 1, 1, $3, $4, $5, 'final', $5)`),
    [userId, id, JSON.stringify(envelope), Buffer.alloc(32), now],
  );
  await database.run(
    unprepared(`/* test */ INSERT INTO delivery (user_id, submission_id, no, rcpt_to, state, attempts, next_attempt_at, smtp_reply,
      delivered, displayed) VALUES ($1, $2, 0, $3, 'queued', 1, $4, '451 4.3.0 later', 'queued', 'unknown')`),
    [userId, id, to, later],
  );
  await hintQueued(database, userId, now);
  return `${encodeId(idPrefix.account, userId)}_${encodeId(idPrefix.submission, id)}`;
}
