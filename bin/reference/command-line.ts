import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { operations } from '#modules/contracts.ts'
import { exitCodes, helpOf } from '#platform/surfaces/command-line.ts'
import { table } from './table.ts'

const meanings: Record<keyof typeof exitCodes, string> = {
  ok: 'Done.',
  refused: 'The operation was refused or failed; the message says why, and its code is in [errors.md](errors.md).',
  usage: 'The command line is wrong.',
  notAllowed: 'The token is missing, or its role does not allow the operation.',
  waiting: 'The operation waits for approvals.',
  unreachable: 'The control plane does not answer.',
}

const meaningOf = new Map(Object.entries(meanings))

export async function commandLinePage(): Promise<string> {
  const modules = [...new Set(operations.map((one) => one.module))].map((module) => {
    const declared = operations.filter((one) => one.module === module).map((one) => one.operation)
    const rows = declared.map(({ name, summary, method, path }) => [`\`${name}\``, summary, `\`${method} ${path}\``])
    const help = declared.map((operation) => helpOf(operation)).join('\n\n\n')
    return `### ${module}\n\n${table(['Operation', 'What it does', 'Over HTTP'], rows)}\n\n<details><summary>Arguments</summary>\n\n\`\`\`text\n${help}\n\`\`\`\n\n</details>\n`
  })
  return `# Command line

\`\`\`text
${await ownCommands()}
\`\`\`

## Operations

Every operation of the API is a command too: path parameters stand first, then a field that is the only one to be
given; the others are flags. A list may be written \`a,b,c\`, and JSON may be read from a file: \`--spec @spec.json\`.
Lists are printed as tables and single things as lines, without what is read by programs only; \`--json\` prints the
whole answer as JSON.

${modules.join('\n')}
## Exit codes

${table(
  ['Code', 'Meaning'],
  Object.entries(exitCodes).map(([name, code]) => [String(code), meaningOf.get(name) ?? '']),
)}
`
}

/** The commands that are no operations, in the words of \`pave help\`, up to its list of operations. */
async function ownCommands(): Promise<string> {
  const cli = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')
  const { stdout } = await promisify(execFile)(process.execPath, [cli, 'help'])
  return stdout.split('\nplatform\n')[0]?.trim() ?? ''
}
