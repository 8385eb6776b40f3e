import { type Overload, overload } from './overload.ts'
import { isRecord } from './values.ts'

const upperCase = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const lowerCase = upperCase.toLowerCase()

export const textFunctions: Overload[] = [
  overload('string.startsWith(string): bool', {
    evaluate: (text: string, prefix: string) => text.startsWith(prefix),
    sql: (_, text, prefix) => `starts_with(${text}, ${prefix})`,
  }),
  overload('string.endsWith(string): bool', {
    evaluate: (text: string, suffix: string) => text.endsWith(suffix),
    sql: (d, text, suffix) => d.endsWith(text, suffix),
  }),
  overload('string.contains(string): bool', {
    evaluate: (text: string, part: string) => text.includes(part),
    sql: (_, text, part) => `(strpos(${text}, ${part}) > 0)`,
  }),
  overload('string.lowerAscii(): string', {
    evaluate: (text: string) => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()),
    sql: (d, text) => d.text(`translate(${text}, '${upperCase}', '${lowerCase}')`),
  }),
  overload('string.upperAscii(): string', {
    evaluate: (text: string) => text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()),
    sql: (d, text) => d.text(`translate(${text}, '${lowerCase}', '${upperCase}')`),
  }),
  ...['size(string): int', 'string.size(): int'].map((signature) =>
    overload(signature, {
      evaluate: (text: string) => countCodePoints(text),
      sql: (d, text) => `CAST(length(${text}) AS ${d.integer})`,
    }),
  ),
  ...['size(list): int', 'list.size(): int'].map((signature) =>
    overload(signature, { evaluate: (list: readonly unknown[]) => list.length }),
  ),
  ...['size(map): int', 'map.size(): int'].map((signature) =>
    overload(signature, { evaluate: (map: object) => Object.keys(map).length }),
  ),
  overload('size(dyn): int', {
    evaluate(value: unknown) {
      if (typeof value === 'string') return countCodePoints(value)
      if (Array.isArray(value)) return value.length
      return isRecord(value) ? Object.keys(value).length : undefined
    },
    withoutAnswer: 'the value has no size',
  }),
]

function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}
