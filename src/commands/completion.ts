import { clientFailure } from '#platform/surfaces/client-errors.ts'

/** Completes command names; flags are shown by `pave COMMAND --help`. */
export function completion(shell: string, names: readonly string[]): string {
  const words = names.join(' ')
  if (shell === 'bash') return `complete -W '${words}' pave`
  if (shell === 'zsh') return `#compdef pave\n_arguments '1: :(${words})' '*: :_files'`
  throw clientFailure('usage', `There is no completion for ${shell}`, {
    hint: 'pave completion bash, or pave completion zsh',
  })
}
