import { t } from "../../messages/operator/domains.ts";
import type { DnsRecord } from "../api.ts";
import { CopyButton } from "../parts/page.tsx";

/** Records to publish, each with its value to copy. */
export function RecordTable({ records, label }: { records: readonly DnsRecord[]; label: string }) {
  return (
    <div class="table-scroll">
      <table aria-label={label} class="records">
        <thead>
          <tr>
            <th scope="col">{t("purpose")}</th>
            <th scope="col">{t("record")}</th>
            <th scope="col">{t("host")}</th>
            <th scope="col">{t("value")}</th>
          </tr>
        </thead>
        <tbody>
          {records.map(({ purpose, name, type, value, note }) => (
            <tr key={`${name} ${type} ${value}`}>
              <td data-label={t("purpose")}>{purpose}</td>
              <td data-label={t("record")}>{type}</td>
              <td data-label={t("host")}>
                <code>{name}</code>
              </td>
              <td data-label={t("value")} class="record-value">
                <span>
                  <code>{value}</code>
                  {note && <span class="muted">{note}</span>}
                </span>
                <CopyButton text={value} what={t("copyValue", { name })} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
