/** A number as it is written: `1.0`, and integers that a double would round, stay what they are when written again. */
interface WrittenNumber {
  rawJSON: string
}

// Of ECMAScript 2026; the types of JSON know neither yet.
const rawJson: (text: string) => WrittenNumber = (text) => Reflect.apply(Reflect.get(JSON, 'rawJSON'), JSON, [text])
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown
const parse = (text: string, reviver: Reviver): unknown => Reflect.apply(JSON.parse, JSON, [text, reviver])

/** JSON whose numbers keep their digits; `digitsOf` reads them, and JSON.stringify writes them as they were. */
export function parseExactly(text: string): unknown {
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? rawJson(source) : value,
  )
}

/** An integer in decimal, whether it came as a number or as a text; `undefined` when it is none. */
export function digitsOf(value: unknown): string | undefined {
  const text = typeof value === 'object' && value !== null && 'rawJSON' in value ? String(value.rawJSON) : String(value)
  return /^\d{1,20}$/.test(text) ? text : undefined
}
