import { useMemo } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import { readPlainText, type TextBlock, type Wrapping, withLinks } from "./plain-text.ts";

interface Props {
  text: string;
  wrapping: Wrapping;
  /** Fold the earlier mail at its end. */
  isFolding: boolean;
  onMailto(url: string): void;
}

/** A plain text, with its addresses as links. */
export function PlainTextView({ text, wrapping, isFolding, onMailto }: Props) {
  const { blocks, foldFrom } = useMemo(() => readPlainText(text, wrapping, isFolding), [text, isFolding]);
  const show = (block: TextBlock, index: number) => <TextBlockView key={index} block={block} onMailto={onMailto} />;
  return (
    <div class="mail-text" dir="auto">
      {blocks.slice(0, foldFrom).map(show)}
      {foldFrom < blocks.length && (
        <details class="quote-fold">
          <summary aria-label={t("quoted")} title={t("quoted")}>
            •••
          </summary>
          {blocks.slice(foldFrom).map(show)}
        </details>
      )}
    </div>
  );
}

const maxShownDepth = 5;

function TextBlockView({ block, onMailto }: { block: TextBlock; onMailto(url: string): void }) {
  const pieces = useMemo(() => withLinks(block.text), [block]);
  const shown = pieces.map((piece, index) =>
    typeof piece === "string" ? (
      piece
    ) : (
      <a
        key={index}
        href={piece.href}
        target="_blank"
        rel="noopener noreferrer nofollow"
        onClick={(event) => {
          if (!piece.href.startsWith("mailto:")) return;
          event.preventDefault();
          onMailto(piece.href);
        }}
      >
        {piece.text}
      </a>
    ),
  );
  if (block.depth === 0) return <div class={`text-block is-${block.kind}`}>{shown}</div>;
  return (
    <blockquote class="text-block" data-depth={Math.min(block.depth, maxShownDepth)}>
      {shown}
    </blockquote>
  );
}
