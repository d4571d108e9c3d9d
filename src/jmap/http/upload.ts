import type { IncomingMessage, ServerResponse } from "node:http";
import type { Login } from "../../auth/login.ts";
import { encodeBlobId } from "../../store/blobs/blob-id.ts";
import { type StoredBlob, TooLarge } from "../../store/blobs/blobs.ts";
import { RequestError } from "../errors.ts";
import { keepUploads, uploadRoom } from "../uploads.ts";
import { openAccount } from "./authenticate.ts";
import { arriving, wantPlain } from "./body.ts";
import type { ApiDeps } from "./deps.ts";
import { sendJson } from "./respond.ts";

const worthAsking = 1_000_000;

/** RFC 8620 §6.1 */
export async function handleUpload(
  { services }: ApiDeps,
  req: IncomingMessage,
  res: ServerResponse,
  login: Login,
  accountId: string,
): Promise<void> {
  const account = openAccount(login, accountId);
  if (account.isReadOnly) throw new RequestError("about:blank", 403, "The account is read-only.");
  wantPlain(req);
  const { maxSizeUpload } = services.limits;
  const tooLarge = () => new RequestError("limit", 413, `At most ${maxSizeUpload} octets.`, "maxSizeUpload");
  const full = () => new RequestError("about:blank", 507, "The account has no room left.");
  const refused = (size: number) => (size > maxSizeUpload ? tooLarge() : full());
  const announced = Number(req.headers["content-length"] ?? maxSizeUpload);
  // Asking for the room costs a quarter of a small upload; a large one is better refused before its bytes are read.
  const room = announced < worthAsking ? maxSizeUpload : await uploadRoom(services, account.id);
  const max = Math.min(maxSizeUpload, room);
  if (announced > max && req.headers["content-length"] !== undefined) throw refused(announced);
  const blob = await arriving(req, () => spoolBody(services.blobs, req, max)).catch((error: unknown) => {
    throw error instanceof TooLarge ? refused(max + 1) : error;
  });
  if ((await keepUploads(services, account.id, login.userId, [blob])).size === 0) throw full();
  await sendJson(req, res, 201, {
    accountId,
    blobId: encodeBlobId(blob.sha256),
    type: req.headers["content-type"] || "application/octet-stream",
    size: blob.size,
  });
}

async function spoolBody(blobs: ApiDeps["services"]["blobs"], req: IncomingMessage, max: number): Promise<StoredBlob> {
  const spool = blobs.spool(max);
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) await spool.write(chunk as Buffer);
    if (!req.complete) throw new RequestError("about:blank", 400, "The upload was cut off.");
    return await spool.finish();
  } catch (error) {
    await spool.abort();
    throw error;
  }
}
