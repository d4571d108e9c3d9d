import { trace, why } from "../admin/trace.ts";
import type { Context } from "./command.ts";
import { say } from "./prompt.ts";
import { toJson } from "./queue-forms.ts";
import { storyText } from "./story-text.ts";

export async function tell({ admin, options }: Context, what: string): Promise<void> {
  const { within, whole, json } = options as { within: number; whole?: true; json?: true };
  const stories = await trace(admin, what, within);
  if (json) return say(toJson(stories));
  if (stories.length === 0) return say(`Nothing is known of ${what}.`);
  say(stories.map((story) => storyText(story, { isWhole: whole === true })).join("\n\n"));
}

export async function tellWhy({ admin, options }: Context, id: string): Promise<void> {
  const reasons = await why(admin, id, options.within as number);
  if (options.json) return say(toJson(reasons));
  if (reasons.length === 0) return say(`Nothing kept ${id} from arriving, or it is not known.`);
  for (const { at, to, event, reply, reason } of reasons) {
    const words = [reply, reason && `because: ${reason}`].filter(Boolean).join("; ");
    say(`${at.toISOString()}  ${event}  ${to.join(", ")}  ${words}`);
  }
}
