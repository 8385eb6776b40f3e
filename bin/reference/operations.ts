import { z } from 'zod'
import { operations } from '#modules/contracts.ts'
import { type Operation, pathParameters } from '#platform/operation.ts'
import { table } from './table.ts'
import { typeLines, typeText } from './type-text.ts'

/** One page for each module, with everything that a caller of its operations needs to know. */
export function operationPages(): [string, string][] {
  const modules = [...new Set(operations.map((one) => one.module))]
  return modules.map((module) => {
    const sections = operations.filter((one) => one.module === module).map(({ operation }) => describe(operation))
    return [`operations/${module}.md`, `# Operations: ${module}\n\n${sections.join('\n')}`]
  })
}

function describe(operation: Operation): string {
  const { name, method, path, summary, errors } = operation
  const answer = typeLines(z.toJSONSchema(operation.output, { io: 'output', unrepresentable: 'any' }))
  return `## ${name}

${summary}.

\`\`\`http
${method} ${path}
\`\`\`

${facts(operation).join(' ')}

${inputTable(operation)}Answers

\`\`\`ts
${answer}
\`\`\`${errors.length === 0 ? '' : `\n\nErrors of its own: ${errors.map((code) => `[\`${code}\`](../errors.md#${code})`).join(', ')}.`}
`
}

const effects: Record<Operation['effect'], string> = {
  read: 'Reads.',
  write: 'Writes, in one transaction with its ledger entry.',
  ingest: 'Takes bulk data in; the ledger holds one entry for each sealed chunk.',
}

function facts({ effect, permission, admission, manifest }: Operation): string[] {
  const needed =
    typeof permission === 'string'
      ? `Open to whoever is ${permission === 'public' ? 'there' : 'authenticated'}.`
      : `Needs \`${permission.verb}\`${permission.on.length === 0 ? '' : ` on ${permission.on.join('/')}`}.`
  return [
    effects[effect],
    needed,
    ...(admission === undefined ? [] : [`Asks the admission point \`${admission}\`.`]),
    ...(manifest === undefined ? [] : [`Manifests of kind \`${manifest.kind}\` are applied with it.`]),
  ]
}

function inputTable({ input, path, method }: Operation): string {
  const { properties = {}, required = [] } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })
  const inPath = new Set(pathParameters(path))
  const rows = Object.entries(properties).map(([name, property]) => {
    const schema = typeof property === 'boolean' ? {} : property
    const place = inPath.has(name) ? 'path' : method === 'GET' ? 'query' : 'body'
    const preset = schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``
    return [
      `\`${name}\``,
      place,
      `\`${typeText(property)}\``,
      required.includes(name) ? 'required' : preset,
      schema.description ?? '',
    ]
  })
  return rows.length === 0 ? '' : `${table(['Field', 'In', 'Type', 'Default', 'Meaning'], rows)}\n\n`
}
