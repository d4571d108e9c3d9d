import type { Resolver } from "node:dns/promises";
import type { DkimKeyRow } from "../store/directory/dkim-keys.ts";
import type { Admin } from "./admin.ts";
import {
  beginRotation,
  dkimRecord,
  forgetRetired,
  type Rotation,
  rotationOf,
  switchKeys,
  unpublished,
} from "./dkim-keys.ts";
import { Refused } from "./refused.ts";

/** How long old keys stay in DNS after they signed last, for mail that is on its way. */
export const retireAfterMs = 14 * 86_400_000;

/** What comes next: new keys are made; they wait for DNS; they begin to sign; the old ones wait until they may be forgotten. */
export type RotationStep = "begin" | "publish" | "switch" | "wait";

export interface RotationState extends Rotation {
  step: RotationStep;
  /** Of the fresh keys, those that DNS does not have yet. */
  missing: DkimKeyRow[];
  /** Until then the retired keys must stay in DNS. */
  until: Date | undefined;
}

type Means = { resolver: Pick<Resolver, "resolve"> };

export async function rotationStateOf(
  admin: Pick<Admin, "store">,
  text: string,
  { resolver }: Means,
): Promise<RotationState> {
  const rotation = await rotationOf(admin, text);
  const { fresh, retired } = rotation;
  const last = Math.max(...retired.map(({ since }) => since.getTime()));
  const until = retired.length > 0 ? new Date(last + retireAfterMs) : undefined;
  if (fresh.length > 0) {
    const missing = await unpublished(fresh, resolver);
    return { ...rotation, step: missing.length > 0 ? "publish" : "switch", missing, until };
  }
  const isWaiting = until !== undefined && until > admin.store.clock.now();
  return { ...rotation, step: isWaiting ? "wait" : "begin", missing: [], until };
}

/** Takes the next step, as `posthorn domain rotate-key` does; refuses while it has to wait. */
export async function rotateKeys(admin: Admin, text: string, means: Means): Promise<void> {
  const state = await rotationStateOf(admin, text, means);
  const { domain, step, missing, until } = state;
  if (step === "publish") {
    throw new Refused({ type: "notPublished", names: missing.map((key) => dkimRecord(key).name).join(", ") });
  }
  if (step === "wait") throw new Refused({ type: "keysInUse", until: until!.toISOString() });
  if (step === "switch") await switchKeys(admin, domain);
  else {
    await forgetRetired(admin, state, new Date(admin.store.clock.now().getTime() - retireAfterMs));
    await beginRotation(admin, domain);
  }
}
