import { z } from 'zod'
import { Environment } from '#platform/config.ts'
import { plainText, table } from './table.ts'

export function configurationPage(): string {
  const { properties = {} } = z.toJSONSchema(Environment, { io: 'input', unrepresentable: 'any' })
  const rows = Object.entries(properties).map(([name, property]) => {
    if (typeof property !== 'object' || property.description === undefined) {
      throw new Error(`${name} has no description`)
    }
    const values = property.enum === undefined ? '' : `: ${property.enum.map((value) => `\`${value}\``).join(', ')}`
    const preset = property.default === undefined || property.default === '' ? '' : `\`${property.default}\``
    return [`\`${name}\``, preset, `${plainText(property.description)}${values}`]
  })
  return `# Configuration

Pave is configured by environment variables, read once at the start. A value that is none ends the start with
\`invalid_configuration\`, which names the variable. Everything else is a resource that you declare in a manifest.

${table(['Variable', 'Default', 'Meaning'], rows)}
`
}
