import { t } from "../../messages/operator/record.ts";
import { type Listed, list } from "../api.ts";
import { accountIdOf } from "../parts/account-id.ts";
import { usePages } from "../parts/fetched.ts";
import { Filters, TextFilter } from "../parts/filters.tsx";
import { AgainButton, Cell, List, Page } from "../parts/page.tsx";
import { exact } from "../parts/times.ts";
import { href, route } from "../route.ts";

/** Who changed what: of the whole server, or of one account. */
export function Audit() {
  const { account = "" } = route.value.filter;
  const load = async (after: string | undefined) => {
    const accountId = account === "" ? null : await accountIdOf(account);
    if (accountId === undefined) throw new Error(t("noAccount"));
    return list("AuditEntry", { filter: { accountId }, after });
  };
  const pages = usePages(load, `audit ${account}`);
  return (
    <Page title={t("audit")} about={t("auditAbout")} actions={<AgainButton fetched={pages} />}>
      <Filters label={t("audit")}>
        <TextFilter name="account" label={t("ofAccount")} hint={t("ofAll")} />
      </Filters>
      <List pages={pages} label={t("audit")} columns={[t("act"), t("about"), t("who"), t("when")]} empty={t("noAudit")}>
        {(one) => (
          <tr key={one.id}>
            <Cell label={t("act")} class="is-main">
              <code>{one.what.act}</code>
            </Cell>
            <Cell label={t("about")}>
              <About entry={one} />
            </Cell>
            <Cell label={t("who")}>
              <bdi>{one.who}</bdi>
            </Cell>
            <Cell label={t("when")}>
              <time dateTime={one.at}>{exact(one.at)}</time>
            </Cell>
          </tr>
        )}
      </List>
    </Page>
  );
}

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
/** The id of the account with a number, as the server writes it. */
function wireId(number: number): string {
  let text = "";
  for (let rest = number; rest > 0 || text === ""; rest = Math.floor(rest / 32)) text = alphabet[rest % 32] + text;
  return `u${text}`;
}

/** The audit names other accounts by number, since their addresses go with them. */
function About({ entry: { what } }: { entry: Listed["AuditEntry"] }) {
  const { act: _, ...more } = what;
  return (
    <>
      {Object.entries(more)
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <span key={name} class="about-part">
            <span class="muted">{name}:</span>{" "}
            {(name === "account" || name === "login") && typeof value === "number" ? (
              <a href={href({ place: "accounts", id: wireId(value) })}>
                {t("account")} {value}
              </a>
            ) : (
              <bdi>{String(value)}</bdi>
            )}
          </span>
        ))}
    </>
  );
}
