import { z } from 'zod'
import { operations } from '#modules/contracts.ts'
import { apiVersion, type Kind, kindsOf } from '#platform/surfaces/manifests/kinds.ts'
import { table } from './table.ts'
import { typeText } from './type-text.ts'

/** What may stand in a manifest, kind by kind. */
export function manifestsPage(): string {
  const sections = kindsOf(operations.map((one) => one.operation)).map(describe)
  return `# Manifests

A manifest is a YAML document: \`apiVersion: ${apiVersion}\`, \`kind\`, \`metadata\` with the names, and \`spec\`. Several may
stand in one file, divided by \`---\`. \`pave plan PATH\` shows what \`pave apply PATH\` would change, and applying twice
changes nothing. \`pave schemas DIRECTORY\` writes the JSON Schemas of all kinds for editors; a running Pave has them at
\`/schemas/KIND.json\`.

${sections.join('\n')}`
}

function describe({ kind, put, parameters }: Kind): string {
  const { properties: fields = {} } = z.toJSONSchema(put.input, { io: 'input', unrepresentable: 'any' })
  const { properties = {}, required = [] } = typeof fields['spec'] === 'object' ? fields['spec'] : {}
  const rows = Object.entries(properties).map(([name, property]) => {
    const { default: preset, description = '' } = typeof property === 'object' ? property : {}
    const given = preset === undefined ? '' : `\`${JSON.stringify(preset)}\``
    return [`\`${name}\``, `\`${typeText(property)}\``, required.includes(name) ? 'required' : given, description]
  })
  const names = parameters.map((name, index) => (index === parameters.length - 1 ? 'name' : name))
  return `## ${kind}

${put.summary}. Its \`metadata\` ${names.length === 1 ? 'is' : 'are'} ${names.map((name) => `\`${name}\``).join(' and ')}; the fields of its \`spec\` are

${table(['Field', 'Type', 'Default', 'Meaning'], rows)}
`
}
