import type { Command } from 'commander';
import { GatelmError } from '../../client/client.js';
import { Scope } from '../../contracts/access.js';
import { SplitName } from '../../contracts/corpus.js';
import { ExperimentState } from '../../contracts/experiment.js';
import { PresetName } from '../../contracts/presets.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** Values of options; of other options with a value, files are offered. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '--preset': PresetName.options,
  '--state': ExperimentState.options,
  '--split': SplitName.options,
  '--scope': Scope.options,
};

/** completion: a completion script for a shell, generated from the commands. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion <shell>')
    .description('Print the completion script for bash, zsh or fish, as in: source <(gatelm completion bash)')
    .action((shell: string) => console.log(completionScript(program, shell)));
}

/** @throws GatelmError for an unknown shell */
export function completionScript(program: Command, shell: string): string {
  const commands = commandsOf(program);
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
    default:
      throw new GatelmError(400, { detail: `the shell must be one of ${SHELLS.join(', ')}; got ${shell}` });
  }
}

interface Described {
  /** Such as "corpora upload". */
  readonly path: string;
  readonly description: string;
  readonly options: readonly {
    readonly flag: string;
    readonly description: string;
    readonly takesValue: boolean;
  }[];
  readonly children: readonly string[];
}

function commandsOf(command: Command, path: readonly string[] = []): Described[] {
  const children = command.name() === 'completion' ? SHELLS : command.commands.map((child) => child.name());
  const options = command.options.flatMap(({ long, description, required, optional }) =>
    long ? [{ flag: long, description, takesValue: required || optional }] : [],
  );
  const own = { path: path.join(' '), description: command.description(), options, children };
  return [own, ...command.commands.flatMap((child) => commandsOf(child, [...path, child.name()]))];
}

/** Also for zsh, to which the names `path` and `words` mean something else. */
function bash(commands: readonly Described[]): string {
  const cases = commands.map(
    ({ path, options, children }) =>
      `    '${path}') offered='${[...children, ...options.map(({ flag }) => flag)].join(' ')}' ;;`,
  );
  const valued = commands.flatMap(({ options }) => options.filter(({ takesValue }) => takesValue));
  const flags = [...new Set(valued.map(({ flag }) => flag))];
  const values = flags
    .filter((flag) => VALUES[flag])
    .map(
      (flag) =>
        `    ${flag}) COMPREPLY=($(compgen -W '${VALUES[flag]!.join(' ')}' -- "$current")); return ;;`,
    );
  return `_gatelm() {
  local current="\${COMP_WORDS[COMP_CWORD]}" given='' offered='' word index
  case "\${COMP_WORDS[COMP_CWORD - 1]}" in
${values.join('\n')}
    ${flags.filter((flag) => !VALUES[flag]).join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case " ${commands.map(({ path }) => path.replaceAll(' ', '_')).join(' ')} " in
      *" \${given:+\${given// /_}_}$word "*) given="\${given:+$given }$word" ;;
    esac
  done
  case "$given" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$offered" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _gatelm gatelm`;
}

/** zsh runs bash's completions. */
function zsh(commands: readonly Described[]): string {
  return `autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: readonly Described[]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`;
  return commands
    .flatMap(({ path, options, children }) => {
      const words = path === '' ? [] : path.split(' ');
      const condition =
        words.length === 0
          ? '__fish_use_subcommand'
          : words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
      const described = children.map((child) => {
        const { description = '' } =
          commands.find((other) => other.path === [...words, child].join(' ')) ?? {};
        return `complete -c gatelm -f -n ${quote(condition)} -a ${child} -d ${quote(description)}`;
      });
      const flags = options.map(({ flag, description, takesValue }) => {
        const values = VALUES[flag] ? ` -x -a ${quote(VALUES[flag].join(' '))}` : takesValue ? ' -r' : '';
        return `complete -c gatelm -n ${quote(condition)} -l ${flag.slice(2)}${values} -d ${quote(description)}`;
      });
      return [...described, ...flags];
    })
    .join('\n');
}
