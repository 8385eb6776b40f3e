import { PaveError } from '#platform/errors.ts'

/** Completes command names; flags are shown by `pave COMMAND --help`. */
export function completion(shell: string, names: readonly string[]): string {
  const words = names.join(' ')
  if (shell === 'bash') return `complete -W '${words}' pave`
  if (shell === 'zsh') return `#compdef pave\n_arguments '1: :(${words})' '*: :_files'`
  throw new PaveError('usage', `There is no completion for ${shell}`, {
    status: 400,
    hint: 'pave completion bash, or pave completion zsh',
  })
}
