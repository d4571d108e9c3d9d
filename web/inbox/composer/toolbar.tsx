import type { Signal } from "@preact/signals";
import type Squire from "squire-rte";
import { t } from "../../messages/composer.ts";
import { askText } from "../../shared/ask.tsx";
import { IconButton } from "../../shared/button.tsx";
import type { IconName } from "../../shared/icons.tsx";

interface Tool {
  icon: IconName;
  label: () => string;
  /** Whether the selection has it already. */
  isOn?(editor: Squire): boolean;
  run(editor: Squire, isOn: boolean): void;
}

const tools: Tool[] = [
  {
    icon: "bold",
    label: () => t("bold"),
    isOn: (editor) => editor.hasFormat("B"),
    run: (editor, isOn) => (isOn ? editor.removeBold() : editor.bold()),
  },
  {
    icon: "italic",
    label: () => t("italic"),
    isOn: (editor) => editor.hasFormat("I"),
    run: (editor, isOn) => (isOn ? editor.removeItalic() : editor.italic()),
  },
  {
    icon: "underline",
    label: () => t("underline"),
    isOn: (editor) => editor.hasFormat("U"),
    run: (editor, isOn) => (isOn ? editor.removeUnderline() : editor.underline()),
  },
  {
    icon: "bullets",
    label: () => t("bullets"),
    isOn: (editor) => editor.hasFormat("UL"),
    run: (editor, isOn) => (isOn ? editor.removeList() : editor.makeUnorderedList()),
  },
  {
    icon: "numbers",
    label: () => t("numbers"),
    isOn: (editor) => editor.hasFormat("OL"),
    run: (editor, isOn) => (isOn ? editor.removeList() : editor.makeOrderedList()),
  },
  {
    icon: "quote",
    label: () => t("quote"),
    isOn: (editor) => editor.hasFormat("BLOCKQUOTE"),
    run: (editor, isOn) => (isOn ? editor.decreaseQuoteLevel() : editor.increaseQuoteLevel()),
  },
  {
    icon: "link",
    label: () => t("link"),
    isOn: (editor) => editor.hasFormat("A"),
    run(editor, isOn) {
      if (isOn) editor.removeLink();
      else void addLink(editor);
    },
  },
  { icon: "clear-format", label: () => t("clearFormat"), run: (editor) => editor.removeAllFormatting() },
];

/** The dialog takes the focus, so the editor's selection is put back before it is linked. */
async function addLink(editor: Squire): Promise<void> {
  const range = editor.getSelection();
  const given = (await askText({ text: t("linkAsk"), yes: t("link"), value: "https://" }))?.trim() ?? "";
  const url = /^(https?|mailto|tel):/i.test(given) ? given : `https://${given}`;
  editor.focus();
  editor.setSelection(range);
  if (given !== "" && given !== "https://" && URL.canParse(url)) editor.makeLink(url, {});
}

export function Toolbar({ editor, path }: { editor: Squire; path: Signal<string> }) {
  // What is on depends on where the caret is.
  path.value;
  return (
    <div class="composer-tools" role="toolbar" aria-label={t("format")}>
      {tools.map(({ icon, label, isOn, run }) => {
        const on = isOn?.(editor) ?? false;
        return (
          <IconButton
            key={icon}
            icon={icon}
            label={label()}
            {...(isOn && { isPressed: on })}
            onClick={() => {
              run(editor, on);
              editor.focus();
            }}
          />
        );
      })}
    </div>
  );
}
