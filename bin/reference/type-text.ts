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
  return typeof type === 'string' ? type : 'anything'
}

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
