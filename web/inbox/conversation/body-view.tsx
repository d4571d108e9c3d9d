import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../../messages/conversation.ts";
import { Icon } from "../../shared/icons.tsx";
import { prefs, setPrefs } from "../../shared/prefs.ts";
import type { Account } from "../../shared/store/account.ts";
import type { EmailRecord } from "../../shared/store/email-record.ts";
import { toast } from "../../shared/toasts.tsx";
import type { Content } from "../kept-contents.ts";
import { Attachments, pathOf } from "./attachments.tsx";
import { type Block, bodyOf, isPicture } from "./body.ts";
import { MailFrame } from "./frame.tsx";
import { Invitation } from "./invitation.tsx";
import type { Origin } from "./origin.ts";
import { calledBy } from "./people.ts";
import { allowed, allowOnce, rememberShown } from "./remote-pictures.ts";
import { PlainTextView } from "./text.tsx";

interface Props {
  account: Account;
  email: EmailRecord;
  content: Content;
  origin: Origin;
  /** The mail lies in Junk: nothing of it is fetched by itself. */
  isJunk: boolean;
  onWhole(): void;
  onMailto(url: string): void;
}

/** What a mail says, and what came with it. */
export function MailBody(props: Props) {
  const { account, email, content, origin, isJunk } = props;
  const [isPlainWanted, setPlainWanted] = useState(false);
  const [hasFailed, setFailed] = useState(false);
  const [remoteCounts, setRemoteCounts] = useState<Record<string, number>>({});
  const remoteCount = Object.values(remoteCounts).reduce((sum, count) => sum + count, 0);
  const body = useMemo(() => bodyOf(content, isPlainWanted || hasFailed), [content, isPlainWanted, hasFailed]);
  const sender = email.from?.[0]?.email.toLowerCase() ?? "";
  // Anybody can take the name of a sender that is trusted with pictures.
  const isTrusted = !isJunk && origin.verdict === "proved";
  const isAlways = isTrusted && prefs.value.pictureSenders.includes(sender);
  const isRemoteShown = allowed.value.has(email.id) || isAlways;
  useEffect(() => rememberShown(email.id, isRemoteShown), [email.id, isRemoteShown]);
  const hasHtml = body.blocks.some(({ kind }) => kind === "html");
  return (
    <div class="mail-body">
      {hasHtml && remoteCount > 0 && !isRemoteShown && (
        <RemoteNotice count={remoteCount} sender={isTrusted ? sender : ""} onShow={() => allowOnce(email.id)} />
      )}
      {body.calendars.slice(0, 1).map((part) => (
        <Invitation key={part.blobId} account={account} part={part} />
      ))}
      {body.blocks.map((block) => (
        <BlockView
          key={block.key}
          {...{ ...props, block, isRemoteShown }}
          onRemotePictures={(count) => setRemoteCounts((before) => ({ ...before, [block.key]: count }))}
          onFailed={() => setFailed(true)}
        />
      ))}
      {body.blocks.length === 0 && body.calendars.length === 0 && <p class="muted mail-empty">{t("noBody")}</p>}
      {hasFailed && <p class="muted">{t("notShown")}</p>}
      {body.isDamaged && <p class="muted">{t("unreadable")}</p>}
      {body.isCut && (
        <p class="notice">
          {t("cut")}
          <button type="button" class="link" onClick={props.onWhole}>
            {t("showWhole")}
          </button>
        </p>
      )}
      {body.hasOther && !hasFailed && (
        <button type="button" class="link form-switch" onClick={() => setPlainWanted(!isPlainWanted)}>
          {isPlainWanted ? t("asHtml") : t("asPlain")}
        </button>
      )}
      <Attachments account={account} files={body.files} />
    </div>
  );
}

function RemoteNotice({ count, sender, onShow }: { count: number; sender: string; onShow(): void }) {
  const always = () => {
    const before = prefs.peek().pictureSenders;
    setPrefs({ pictureSenders: [...before.filter((one) => one !== sender), sender] });
    toast({ text: t("pictureAllowed", { address: sender }), undo: () => setPrefs({ pictureSenders: before }) });
  };
  return (
    <div class="notice remote-notice" title={t("whyBlocked")}>
      <Icon name="warning" />
      <span>{t("remotePictures", { n: count })}</span>
      <button type="button" class="link" onClick={onShow}>
        {t("showPictures", { n: count })}
      </button>
      {sender !== "" && (
        <button type="button" class="link" onClick={always}>
          {t("alwaysFrom", { address: sender })}
        </button>
      )}
    </div>
  );
}

interface BlockProps extends Props {
  block: Block;
  isRemoteShown: boolean;
  onRemotePictures(count: number): void;
  onFailed(): void;
}

function BlockView({ block, ...props }: BlockProps) {
  const { account, email, content } = props;
  const pictures = usePictures(account, content);
  const isForward = /^\s*(?:fwd?|wg|tr|rv)\s*:/i.test(email.subject ?? "");
  if (block.kind === "text") {
    return (
      <PlainTextView text={block.text} wrapping={block.wrapping} isFolding={!isForward} onMailto={props.onMailto} />
    );
  }
  if (block.kind === "picture") {
    return <img class="mail-picture" src={pathOf(account, block.part)} alt={block.part.name ?? ""} loading="lazy" />;
  }
  const name = calledBy(account, email.from?.[0]);
  return (
    <MailFrame
      html={block.html}
      title={t("mailOf", { name, subject: email.subject || t("noSubject") })}
      isRemoteShown={props.isRemoteShown}
      quoteLabel={t("quoted")}
      pictureOf={pictures}
      onRemotePictures={props.onRemotePictures}
      onMailto={props.onMailto}
      onFailed={props.onFailed}
    />
  );
}

const maxPictureSize = 20_000_000;

/**
 * The pictures that are parts of the mail, as URLs of copies in memory: the frame may load nothing from this server. They
 * have the type of a picture whatever their content is.
 */
function usePictures(account: Account, content: Content): (contentId: string) => Promise<string | undefined> {
  const made = useRef<string[]>([]);
  useEffect(
    () => () => {
      for (const url of made.current) URL.revokeObjectURL(url);
      made.current = [];
    },
    [],
  );
  return async (contentId) => {
    const all = [...content.attachments, ...content.htmlBody];
    const part = all.find(({ cid }) => cid === contentId);
    if (!part?.blobId || !isPicture(part) || part.size > maxPictureSize) return undefined;
    const response = await fetch(pathOf(account, part)).catch(() => undefined);
    if (!response?.ok) return undefined;
    const url = URL.createObjectURL(new Blob([await response.arrayBuffer()], { type: part.type }));
    made.current.push(url);
    return url;
  };
}
