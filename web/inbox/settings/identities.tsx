import { useSignal } from "@preact/signals";
import { t } from "../../messages/settings.ts";
import { ask } from "../../shared/ask.tsx";
import { Button, IconButton } from "../../shared/button.tsx";
import type { Identity } from "../../shared/jmap/types.ts";
import { formatAddresses, parseAddresses } from "../composer/addresses.ts";
import { theAccount } from "../mail.ts";
import { attempt, Loaded, throwRefused } from "./loaded.tsx";

const load = async (): Promise<Identity[]> => {
  const { id: accountId, jmap } = theAccount();
  return (await jmap.call("Identity/get", { accountId, ids: null })).list;
};

/** The addresses that somebody sends from, with their names and signatures. */
export function Identities() {
  const edited = useSignal<string | undefined>(undefined);
  return (
    <Loaded load={load}>
      {(list, again) => {
        const close = async () => {
          edited.value = undefined;
          await again();
        };
        return (
          <>
            <ul class="settings-rows">
              {list.map((identity) => (
                <li key={identity.id}>
                  {edited.value === identity.id ? (
                    <IdentityForm identity={identity} onDone={close} />
                  ) : (
                    <Row identity={identity} onEdit={() => (edited.value = identity.id)} onGone={again} />
                  )}
                </li>
              ))}
            </ul>
            {edited.value === "new" ? (
              <IdentityForm identity={undefined} onDone={close} address={list[0]?.email} />
            ) : (
              <Button icon="plus" onClick={() => (edited.value = "new")}>
                {t("newIdentity")}
              </Button>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function Row({ identity, onEdit, onGone }: { identity: Identity; onEdit(): void; onGone(): Promise<void> }) {
  const { id, name, email, textSignature, mayDelete } = identity;
  const remove = async () => {
    if (!(await ask({ text: t("removeIdentityAsk", { address: email }), yes: t("remove"), isDanger: true }))) return;
    const { id: accountId, jmap } = theAccount();
    void attempt(async () => {
      const { notDestroyed } = await jmap.call("Identity/set", { accountId, destroy: [id] });
      throwRefused(notDestroyed);
      await onGone();
    });
  };
  return (
    <>
      <span class="settings-row-main">
        <strong>{name || email}</strong>
        {name !== "" && <span class="muted">{email}</span>}
        <span class="muted settings-signature">{textSignature.trim() || t("noSignature")}</span>
      </span>
      <IconButton icon="draft" label={`${t("edit")}: ${name || email}`} onClick={onEdit} />
      {mayDelete && (
        <IconButton icon="trash" label={`${t("remove")}: ${name || email}`} onClick={() => void remove()} />
      )}
    </>
  );
}

interface FormProps {
  /** Undefined for a new one. */
  identity: Identity | undefined;
  onDone(): Promise<void>;
  address?: string | undefined;
}

function IdentityForm({ identity, onDone, address = "" }: FormProps) {
  const fault = useSignal("");
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name) ?? "");
    const [replyTo, bcc] = [parseAddresses(text("replyTo")), parseAddresses(text("bcc"))];
    const bad = [...replyTo.faults, ...bcc.faults][0];
    fault.value = bad === undefined ? "" : t("badAddress", { text: bad });
    if (bad !== undefined) return;
    const listed = ({ addresses }: typeof replyTo) => (addresses.length > 0 ? addresses : null);
    const signature = text("signature").replace(/\r\n/g, "\n");
    const values = {
      name: text("name").trim(),
      replyTo: listed(replyTo),
      bcc: listed(bcc),
      textSignature: signature,
      // The rich one is made of this when it is used; one that another program wrote stays until the text changes.
      ...(signature !== identity?.textSignature && { htmlSignature: "" }),
    };
    const { id: accountId, jmap } = theAccount();
    const args = identity
      ? { accountId, update: { [identity.id]: values } }
      : { accountId, create: { new: { ...values, email: text("email").trim() } } };
    const { notCreated, notUpdated } = await jmap.call("Identity/set", args);
    if (notCreated?.new?.type === "forbiddenFrom") fault.value = t("forbiddenFrom");
    else
      await attempt(async () => {
        throwRefused(notCreated, notUpdated);
        await onDone();
      });
  };
  return (
    <form
      class="settings-form"
      onSubmit={(event) => void save(event).catch((error: Error) => (fault.value = error.message))}
    >
      <label class="field">
        <span>{t("name")}</span>
        <input class="input" name="name" defaultValue={identity?.name ?? ""} dir="auto" />
      </label>
      {!identity && (
        <label class="field">
          <span>{t("address")}</span>
          <input class="input" name="email" type="email" required defaultValue={address} />
        </label>
      )}
      <label class="field">
        <span>{t("signature")}</span>
        <textarea class="input" name="signature" rows={4} dir="auto" defaultValue={identity?.textSignature ?? ""} />
      </label>
      <label class="field">
        <span>{t("replyTo")}</span>
        <input class="input" name="replyTo" defaultValue={formatAddresses(identity?.replyTo ?? null)} />
      </label>
      <label class="field">
        <span>{t("bcc")}</span>
        <input class="input" name="bcc" defaultValue={formatAddresses(identity?.bcc ?? null)} />
      </label>
      {fault.value !== "" && (
        <p class="error-text" role="alert">
          {fault}
        </p>
      )}
      <div class="dialog-actions">
        <Button onClick={() => void onDone()}>{t("cancel")}</Button>
        <Button submits isPrimary>
          {t("save")}
        </Button>
      </div>
    </form>
  );
}
