import { type Endpoints, protocol } from '#protocols/mlflow/protocol.ts'
import { table } from './table.ts'

/** Which endpoints of MLflow's server are there, and what clients get where they are not. */
export function mlflowPage(): string {
  const refused = protocol.filter((group) => group.refused !== undefined)
  return `# MLflow's protocol

What the server of MLflow 3.17 answers, and whether Pave does. Paths below \`/api\` are below \`/ajax-api\` too. A test asks every one of them,
another holds the list against MLflow's own source, and a third sends the same requests to \`mlflow server\` and to Pave and compares the answers.
[Use the mlflow client](../how-to/use-the-mlflow-client.md) says how to set a client up, and what Pave does otherwise.

## Answered

${protocol.filter(isAnswered).map(section).join('\n\n')}

## Not there

${table(
  ['What', 'Error', 'Why'],
  refused.map(({ title, refused }) => [title, `\`${refused?.code}\``, refused?.why ?? '']),
)}

\`ENDPOINT_NOT_FOUND\` comes with status 404: clients take it as a cue to do without, or by an older call. \`NOT_IMPLEMENTED\` comes with
status 501 and says in its message how Pave does the same; clients do not ask again.

${refused.map(section).join('\n\n')}
`
}

const isAnswered = ({ refused }: Endpoints) => refused === undefined

function section({ title, paths }: Endpoints): string {
  return `### ${title}\n\n${paths.map((path) => `- \`${path}\``).join('\n')}`
}
