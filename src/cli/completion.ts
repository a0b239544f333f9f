import type { CommandDefinition } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `completion SHELL`: prints what makes a shell complete the words of this program. */
export const completion: CommandDefinition = {
  usage: 'completion <shell>',
  summary: 'print what makes a shell (bash, zsh, fish) complete commands and options',
  words: shells,
  examples: [
    'completion bash > ~/.local/share/bash-completion/completions/phorest',
    'completion zsh > ~/.zfunc/_phorest      # with ~/.zfunc in $fpath',
    'completion fish > ~/.config/fish/completions/phorest.fish',
  ],
  declare: command => command,
  run: async ({ output, commands }, [word = '']) => {
    const shell = shells.find(name => name === word);
    if (!shell)
      throw new ExitError(exitCodes.usage, `there is no completion for "${word}"; there is for ${shells.join(', ')}`);
    const { completionScript } = await import('./completionScript.ts');
    output.text(completionScript(shell, commands));
    return exitCodes.done;
  },
};
