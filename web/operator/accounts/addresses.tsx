import { useSignal } from "@preact/signals";
import { t } from "../../messages/operator/accounts.ts";
import { Button, IconButton } from "../../shared/button.tsx";
import { create, destroy, get, type Listed, update } from "../api.ts";
import { Confirm } from "../parts/confirm.tsx";
import { useFetched } from "../parts/fetched.ts";
import { Card, Changing, Shown } from "../parts/page.tsx";

type Address = NonNullable<Listed["Account"]["addresses"]>[number];
type Open = { is: "add" } | { is: "change" | "remove"; address: Address };

/** The opaque id of an address: the letter, and the address in base64url. */
const idOf = (address: string) =>
  `a${btoa(String.fromCharCode(...new TextEncoder().encode(address)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "")}`;

const wordsIn = (form: FormData, name: string) =>
  String(form.get(name) ?? "")
    .split(/[\s,]+/)
    .filter(Boolean);

/** The addresses whose mail comes into the account. */
export function Addresses({ account }: { account: Listed["Account"] }) {
  const fetched = useFetched(
    async () => (await get("Account", account.id, ["addresses"]))?.addresses ?? [],
    account.id,
  );
  const open = useSignal<Open | undefined>(undefined);
  const close = (isDone: boolean) => {
    open.value = undefined;
    if (isDone) void fetched.again();
  };
  return (
    <Card
      title={t("addresses")}
      actions={
        <Changing>
          <Button icon="plus" onClick={() => (open.value = { is: "add" })}>
            {t("addAddress")}
          </Button>
        </Changing>
      }
    >
      <p class="muted">{t("addressesWhy")}</p>
      <Shown fetched={fetched}>
        {(list) => (
          <ul class="rows">
            {list.map((one) => (
              <AddressRow key={one.address} address={one} login={account.login} open={(next) => (open.value = next)} />
            ))}
          </ul>
        )}
      </Shown>
      {open.value && <AddressDialog open={open.value} login={account.login} onClose={close} />}
    </Card>
  );
}

function AddressRow({ address: one, login, open }: { address: Address; login: string; open(next: Open): void }) {
  const isMain = one.address === login;
  return (
    <li>
      <span class="row-main">
        <bdi>{one.address}</bdi>
        {isMain && <span class="muted">{t("main")}</span>}
        {one.forwards.length > 0 && (
          <span class="muted">
            {t("forwards")}: <bdi>{one.forwards.join(", ")}</bdi>
            {!one.keepsCopy && `; ${t("noCopy")}`}
          </span>
        )}
      </span>
      <Changing>
        <Button onClick={() => open({ is: "change", address: one })}>{t("forward")}</Button>
        {!isMain && (
          <IconButton
            icon="trash"
            label={t("removeAddress", { address: one.address })}
            onClick={() => open({ is: "remove", address: one })}
          />
        )}
      </Changing>
    </li>
  );
}

function AddressDialog({ open, login, onClose }: { open: Open; login: string; onClose(isDone: boolean): void }) {
  if (open.is === "add") {
    return (
      <Confirm
        title={t("addAddress")}
        act={t("addAct")}
        done={t("addressAdded")}
        work={(form) =>
          create("Address", { address: String(form.get("address")).trim(), login, forwards: wordsIn(form, "forwards") })
        }
        onClose={onClose}
      >
        <label class="field">
          <span>{t("address")}</span>
          <input
            class="input"
            name="address"
            required
            autocomplete="off"
            spellcheck={false}
            placeholder="sales@example.org"
            data-first
          />
        </label>
        <ForwardsField forwards={[]} />
      </Confirm>
    );
  }
  const { address, forwards, keepsCopy } = open.address;
  if (open.is === "remove") {
    return (
      <Confirm
        title={t("removeAddress", { address })}
        act={t("remove")}
        isDanger
        done={t("addressRemoved")}
        work={() => destroy("Address", idOf(address))}
        onClose={onClose}
      >
        <p>{t("removeAddressWhy")}</p>
      </Confirm>
    );
  }
  return (
    <Confirm
      title={t("forwardTitle", { address })}
      act={t("save")}
      done={t("changed")}
      work={(form) =>
        update("Address", idOf(address), { forwards: wordsIn(form, "forwards"), keepsCopy: form.has("keepsCopy") })
      }
      onClose={onClose}
    >
      <ForwardsField forwards={forwards} />
      <label class="check">
        <input type="checkbox" name="keepsCopy" checked={keepsCopy} />
        {t("keepsCopy")}
      </label>
    </Confirm>
  );
}

function ForwardsField({ forwards }: { forwards: readonly string[] }) {
  return (
    <label class="field">
      <span>{t("forwards")}</span>
      <textarea class="input" name="forwards" rows={2} placeholder={t("forwardsHint")} spellcheck={false}>
        {forwards.join("\n")}
      </textarea>
    </label>
  );
}
