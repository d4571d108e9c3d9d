import { t } from "../../messages/composer.ts";
import { IconButton } from "../../shared/button.tsx";
import { Icon } from "../../shared/icons.tsx";
import { size } from "../../shared/messages.ts";
import type { Attached, Files } from "./files.ts";

/** What is attached, and how far what is on its way has come. Pictures in the text are not listed. */
export function FileList({ files }: { files: Files }) {
  const attached = files.list.value.filter(({ cid }) => cid === undefined);
  if (attached.length === 0) return null;
  return (
    <ul class="composer-files" aria-label={t("attach")}>
      {attached.map((file) => (
        <FileRow key={file.key} file={file} files={files} />
      ))}
    </ul>
  );
}

function FileRow({ file, files }: { file: Attached; files: Files }) {
  const { name } = file;
  const share = files.shareOf(file)?.value;
  const fault = files.faultOf(file)?.value;
  const percent = Math.round((share ?? 1) * 100);
  return (
    <li class={`composer-file ${fault === undefined ? "" : "is-bad"}`}>
      <Icon name="paperclip" />
      <span class="composer-file-name" title={name}>
        {name}
      </span>
      <span class="muted">{size(file.size)}</span>
      {share !== undefined && fault === undefined && (
        <progress value={percent} max={100} aria-label={t("uploading", { name, percent })} />
      )}
      {fault !== undefined && (
        <span class="fault" role="alert">
          {t("fileFailed", { name, reason: fault })}
        </span>
      )}
      <IconButton icon="close" label={t("removeFile", { name })} onClick={() => files.remove(file)} />
    </li>
  );
}
