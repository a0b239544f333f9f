import { Command, type Option } from 'commander';
import type { CommandDefinition } from './commandDefinition.ts';
import { globalOptions } from './commandDefinition.ts';

interface Completed {
  name: string;
  summary: string;
  /** What its argument may be; null: a folder, or nothing at all. */
  words: readonly string[] | null;
  takesFolder: boolean;
  options: readonly Option[];
}

/** A script for a shell that completes commands, options and their values, made from the registry of commands. */
export function completionScript(
  shell: 'bash' | 'zsh' | 'fish',
  commands: readonly CommandDefinition<never>[],
): string {
  const known = commands.filter(({ kind }) => kind !== 'internal').map(completed);
  return { bash, zsh, fish }[shell](known);
}

function completed({ usage, summary, words, declare }: CommandDefinition<never>): Completed {
  const [name = '', argument = ''] = usage.split(' ');
  const { options } = declare(new Command(name));
  return { name, summary, words: words ?? null, takesFolder: argument === '<folder>', options };
}

const names = ({ options }: { options: readonly Option[] }): string[] =>
  options.flatMap(({ long }) => (long ? [long] : []));

/** What a value of an option is. */
function argumentOf({ flags, argChoices }: Option): 'file' | 'folder' | readonly string[] | 'other' | null {
  if (argChoices) return argChoices;
  if (flags.includes('<file>')) return 'file';
  if (flags.includes('<folder>')) return 'folder';
  return flags.includes('<') ? 'other' : null;
}

const header = (how: string): string => `# Completion of phorest, printed by "phorest completion ${how}".\n`;

function bash(commands: readonly Completed[]): string {
  const withValue = [...globalOptions, ...commands.flatMap(({ options }) => options)];
  const taking = (value: 'file' | 'folder'): string =>
    [...new Set(withValue.filter(option => argumentOf(option) === value).map(({ long }) => long))].join('|');
  const choices = new Map(
    withValue.flatMap(option => {
      const value = argumentOf(option);
      return Array.isArray(value) ? [[option.long, value.join(' ')] as const] : [];
    }),
  );
  const everywhere = globalOptions.map(({ long }) => long).join(' ');
  const cases = commands.map(command => {
    const words = [...(command.words ?? []), ...names(command), everywhere, '--help'].join(' ');
    return `    ${command.name}) words='${words}'${command.takesFolder ? '; folders=1' : ''} ;;`;
  });
  return `${header('bash')}_phorest() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words folders= command= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --config|--root) ((i++)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $prev in
    ${taking('file')}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
    ${taking('folder')}) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
${[...choices].map(([option, words]) => `    ${option}) mapfile -t COMPREPLY < <(compgen -W '${words}' -- "$cur"); return ;;`).join('\n')}
  esac
  case $command in
    '') words='${commands.map(({ name }) => name).join(' ')} ${everywhere} --help --version' ;;
${cases.join('\n')}
    *) return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  if [[ -n $folders && $cur != -* ]]; then
    compopt -o filenames
    mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$cur")
  fi
}
complete -F _phorest phorest
`;
}

function zsh(commands: readonly Completed[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  // Brackets and colons part what \`_arguments\` reads.
  const plain = (text: string): string => text.replaceAll(/[[\]:]/g, ' ').replaceAll(/\s+/g, ' ');
  const spec = (option: Option): string => {
    const value = argumentOf(option);
    const action =
      value === null
        ? ''
        : value === 'file'
          ? ':file:_files'
          : value === 'folder'
            ? ':folder:_files -/'
            : value === 'other'
              ? ':value: '
              : `:value:(${value.join(' ')})`;
    return quoted(`${option.long}[${plain(option.description)}]${action}`);
  };
  const general = globalOptions.map(spec).join(' ');
  const cases = commands.map(command => {
    const argument = command.words
      ? quoted(`1:argument:(${command.words.join(' ')})`)
      : command.takesFolder
        ? quoted('1:folder:_files -/')
        : '';
    return `    ${command.name}) _arguments ${[general, ...command.options.map(spec), argument].join(' ').trim()} ;;`;
  });
  return `#compdef phorest
${header('zsh')}_phorest() {
  local -a commands
  local state line
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${plain(summary)}`)}`).join('\n')}
  )
  _arguments -C ${general} '--help[help]' '--version[version]' '1:command:->command' '*::argument:->argument'
  if [[ $state == command ]]; then
    _describe command commands
    return
  fi
  case $line[1] in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _phorest ]]; then _phorest "$@"; else compdef _phorest phorest; fi
`;
}

function fish(commands: readonly Completed[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const line = (option: Option, condition: string): string => {
    const value = argumentOf(option);
    const action =
      value === null
        ? ''
        : value === 'file'
          ? ' -r -F'
          : value === 'folder'
            ? " -x -a '(__fish_complete_directories)'"
            : value === 'other'
              ? ' -x'
              : ` -x -a ${quoted(value.join(' '))}`;
    return `complete -c phorest${condition} -l ${option.long?.slice(2)}${action} -d ${quoted(option.description)}`;
  };
  const lines = commands.flatMap(command => {
    const inside = ` -n '__fish_seen_subcommand_from ${command.name}'`;
    return [
      `complete -c phorest -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
      ...(command.words ? [`complete -c phorest${inside} -a ${quoted(command.words.join(' '))}`] : []),
      ...(command.takesFolder ? [`complete -c phorest${inside} -a '(__fish_complete_directories)'`] : []),
      ...command.options.map(option => line(option, inside)),
    ];
  });
  return [
    `${header('fish')}complete -c phorest -f`,
    ...globalOptions.map(option => line(option, '')),
    ...lines,
    '',
  ].join('\n');
}
