import type { TableCommand, TableOption } from "./command-table.ts";

type Shell = "bash" | "zsh" | "fish";

/** The script for each shell. All three know the commands, their options, words that an option takes, and files. */
export const completions: Record<Shell, (table: readonly TableCommand[]) => string> = { bash, zsh, fish };

/** Options whose value is a file or a folder, by their own name or that of the value. */
const filed = /^(file|folder|path|data|config|pools|tls-cert|tls-key|.*-ca|.*-file)$/;

const everyOption = ({ options }: TableCommand) => [...options.flatMap(({ names }) => names), "--help"];
const isFiled = ({ names, value }: TableOption) =>
  filed.test(value ?? "") || names.some((name) => filed.test(name.replace(/^--/, "")));
/** What comes after one of these options is its value. */
function takers({ options }: TableCommand) {
  const names = (some: TableOption[]) => some.flatMap((option) => option.names).join("|");
  const all = options.filter(({ value }) => value !== undefined);
  return {
    files: names(all.filter(isFiled)),
    chosen: all.filter(({ choices }) => choices.length > 0),
    others: names(all.filter((option) => !isFiled(option) && option.choices.length === 0)),
  };
}

const pathOf = ({ path }: TableCommand) => ["posthorn", ...path].join(" ");

function bash(table: readonly TableCommand[]): string {
  const cases = table.map((command) => {
    const { files, chosen, others } = takers(command);
    const values = [
      ...(files ? [`${files}) compopt -o default; return ;;`] : []),
      ...chosen.map(({ names, choices }) => {
        return `${names.join("|")}) COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$cur")); return ;;`;
      }),
      ...(others ? [`${others}) return ;;`] : []),
    ];
    const previous =
      values.length === 0 ? "" : `\n      case "$prev" in\n        ${values.join("\n        ")}\n      esac`;
    return `    "${pathOf(command)}")${previous}
      words="${[...command.below, ...command.argWords].join(" ")}" options="${everyOption(command).join(" ")}" ;;`;
  });
  const paths = table
    .filter(({ below }) => below.length > 0)
    .map((command) => {
      return `      "${pathOf(command)}") case "$word" in ${command.below.join("|")}) path="$path $word" ;; esac ;;`;
    });
  return `# Completes the commands of posthorn in bash.
_posthorn() {
  local cur prev path word words options at
  cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path=posthorn
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$path" in
${paths.join("\n")}
    esac
  done
  COMPREPLY=()
  case "$path" in
${cases.join("\n")}
  esac
  if [[ "$cur" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n "$words" ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -o nosort -F _posthorn posthorn`;
}

/** Text in single quotes of zsh and fish. */
const quoted = (text: string, shell: "zsh" | "fish") =>
  shell === "zsh" ? `'${text.replaceAll("'", "'\\''")}'` : `'${text.replace(/[\\']/g, "\\$&")}'`;

/** The first sentence, without the end that says where else it may stand. */
const brief = (help: string) => help.replace(/ \[POSTHORN_\w+\]$|\s*\(Default:.*$/s, "").split("\n")[0]!;

function zsh(table: readonly TableCommand[]): string {
  const described = (name: string, help: string) => quoted(`${name.replaceAll(":", "\\:")}:${brief(help)}`, "zsh");
  const cases = table.map((command) => {
    const { files, chosen, others } = takers(command);
    const values = [
      ...(files ? [`${files}) _files; return ;;`] : []),
      ...chosen.map(({ names, choices }) => `${names.join("|")}) compadd -- ${choices.join(" ")}; return ;;`),
      ...(others ? [`${others}) return ;;`] : []),
    ];
    const previous =
      values.length === 0 ? "" : `\n      case "$prev" in\n        ${values.join("\n        ")}\n      esac`;
    const below = command.below.map((name) => described(name, helpOf(table, command, name)));
    const words = [...below, ...command.argWords.map((word) => quoted(word, "zsh"))];
    const options = command.options.flatMap(({ names, help }) => names.map((name) => described(name, help)));
    return `    ${quoted(pathOf(command), "zsh")})${previous}
      commands_=(${words.join(" ")})
      options_=(${[...options, described("--help", "print help")].join(" ")}) ;;`;
  });
  const paths = table
    .filter(({ below }) => below.length > 0)
    .map((command) => {
      const own = quoted(pathOf(command), "zsh");
      return `      ${own}) case "$word" in ${command.below.join("|")}) path_="$path_ $word" ;; esac ;;`;
    });
  return `#compdef posthorn
# Completes the commands of posthorn in zsh.
_posthorn() {
  local prev="\${words[CURRENT-1]}" path_=posthorn word
  local -a commands_ options_
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$path_" in
${paths.join("\n")}
    esac
  done
  case "$path_" in
${cases.join("\n")}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    _describe option options_
  elif (( \${#commands_} )); then
    _describe command commands_
  fi
}
compdef _posthorn posthorn`;
}

const helpOf = (table: readonly TableCommand[], { path }: TableCommand, name: string) =>
  table.find((one) => one.path.join(" ") === [...path, name].join(" "))!.help;

function fish(table: readonly TableCommand[]): string {
  const lines = table.flatMap((command) => {
    const under = `-n "__posthorn_at ${command.path.join(" ")}"`;
    const words = command.below.map((name) => {
      return `complete -c posthorn ${under} -a ${name} -d ${quoted(brief(helpOf(table, command, name)), "fish")}`;
    });
    const argWords = command.argWords.map((word) => `complete -c posthorn ${under} -a ${word}`);
    const options = command.options.map((option) => {
      const flags = option.names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
      const value = option.value === undefined ? "" : isFiled(option) ? " -r -F" : " -x";
      const choices = option.choices.length > 0 ? ` -a ${quoted(option.choices.join(" "), "fish")}` : "";
      return `complete -c posthorn ${under} ${flags.join(" ")}${value}${choices} -d ${quoted(brief(option.help), "fish")}`;
    });
    return [...words, ...argWords, ...options, `complete -c posthorn ${under} -l help -d 'print help'`];
  });
  const paths = table
    .filter(({ below }) => below.length > 0)
    .map(({ path, below }) => {
      const own = path.length === 0 ? "''" : quoted(path.join(" "), "fish");
      return `      case ${own}
        contains -- $word ${below.join(" ")}; and set path (string trim "$path $word")`;
    });
  return `# Completes the commands of posthorn in fish.
function __posthorn_at --description 'whether the line has come to this command'
  set -l path ''
  for word in (commandline -opc)[2..]
    switch "$path"
${paths.join("\n")}
    end
  end
  test "$path" = "$argv"
end
complete -c posthorn -f
${lines.join("\n")}`;
}
