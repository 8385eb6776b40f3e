import type { z } from 'zod'

type Schema = z.core.JSONSchema.JSONSchema

/** A JSON Schema as one reads it: `{items: {model: string, tier: 1 to 4}[], nextCursor: string or null}`. */
export function typeText(schema: Schema | boolean, depth = 0): string {
  if (typeof schema === 'boolean') return 'anything'
  const { anyOf, oneOf, enum: values, const: value, type } = schema
  const choices = anyOf ?? oneOf
  if (choices !== undefined) return [...new Set(choices.map((choice) => typeText(choice, depth)))].join(' or ')
  if (values !== undefined) return values.map((one) => JSON.stringify(one)).join(' or ')
  if (value !== undefined) return JSON.stringify(value)
  if (type === 'array') return `${grouped(typeText(itemsOf(schema), depth))}[]`
  if (type === 'object') return objectText(schema, depth)
  if (type === 'integer' || type === 'number') return numberText(schema, type)
  if (type === 'string') return stringText(schema)
  if (Array.isArray(type)) return type.map((one) => typeText({ ...schema, type: one }, depth)).join(' or ')
  return typeof type === 'string' ? type : 'anything'
}

/** The same with a line for each field, for what is too long to be read in one. */
export function typeLines(schema: Schema | boolean, indent = ''): string {
  const { properties, required = [] } = typeof schema === 'boolean' ? {} : schema
  if (typeof schema === 'boolean' || properties === undefined) {
    const items = typeof schema === 'object' && schema.type === 'array' ? itemsOf(schema) : undefined
    return typeof items === 'object' && items.properties !== undefined
      ? `${typeLines(items, indent)}[]`
      : typeText(schema)
  }
  const fields = Object.entries(properties).map(([name, property]) => {
    const text = typeText(property)
    const shown = text.length > widest ? typeLines(property, `${indent}  `) : text
    return `${indent}  ${name}${required.includes(name) ? '' : '?'}: ${shown}`
  })
  return `{\n${fields.join('\n')}\n${indent}}`
}

const widest = 90

const grouped = (text: string) => (text.includes(' or ') ? `(${text})` : text)

function itemsOf({ items }: Schema): Schema | boolean {
  return items === undefined || Array.isArray(items) ? true : items
}

/** What lies deeper than three levels is named in the OpenAPI document. */
const deepest = 3

function objectText({ properties, additionalProperties, required = [] }: Schema, depth: number): string {
  if (properties === undefined) {
    return additionalProperties === undefined ? 'object' : `{name: ${typeText(additionalProperties, depth + 1)}}`
  }
  if (depth === deepest) return '{…}'
  const fields = Object.entries(properties).map(
    ([name, property]) => `${name}${required.includes(name) ? '' : '?'}: ${typeText(property, depth + 1)}`,
  )
  return `{${fields.join(', ')}}`
}

function numberText({ minimum, maximum }: Schema, type: string): string {
  const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
  if (low !== undefined && high !== undefined) return `${type} ${low} to ${high}`
  if (low !== undefined) return `${type} from ${low}`
  return high === undefined ? type : `${type} up to ${high}`
}

function stringText({ format, maxLength }: Schema): string {
  if (format !== undefined) return format
  return maxLength === undefined ? 'string' : `string, ${maxLength} characters at most`
}
