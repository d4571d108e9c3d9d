import { t } from "../../messages/shell.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { type ComposeIntent, composing } from "../seams.ts";

export interface ComposerProps {
  intent: ComposeIntent;
}

/** Loaded when somebody first writes. It is done when it sets `composing` to undefined. */
export default function Composer(_: ComposerProps) {
  return (
    <Dialog title={t("compose")} onClose={() => (composing.value = undefined)}>
      <p />
    </Dialog>
  );
}
