/** Bytes or JSON that are no OTLP request; the message says what is wrong and quotes nothing. */
export class OtlpError extends Error {}

/** What a collector or exporter tells of one span; times are nanoseconds since 1970 in decimal. */
export interface OtlpSpan {
  /** 32 hexadecimal digits. */
  trace: string
  /** 16 hexadecimal digits. */
  span: string
  parent: string | null
  name: string
  /** As OTLP numbers it: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number
  start: string
  /** Null as long as it runs. */
  end: string | null
  status: 'unset' | 'ok' | 'error'
  message: string
  /** A JSON object as text, because a number keeps its digits in it: `1.0` and 2⁶³ stay what they are. */
  attributes: string
  events: { name: string; time: string; attributes: string }[]
  links: { trace: string; span: string; attributes: string }[]
}

export interface OtlpTraces {
  spans: OtlpSpan[]
  /** Attributes of the resource that made the spans at these positions, as a JSON object. */
  resources: { attributes: string; from: number; to: number }[]
}

export interface OtlpLimits {
  spans: number
  /** Attributes, events or links of one span. */
  perSpan: number
}

/** Values within values. */
export const deepestValue = 32

/** A number as JSON has it; what JSON has no number for is written out. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) {
    const text = Object.is(value, -0) ? '-0' : String(value)
    return /[.e]/.test(text) ? text : `${text}.0`
  }
  return Number.isFinite(value) ? String(value) : `"${value}"`
}

export function requireId(hex: string, digits: number, what: string): string {
  if (hex.length !== digits || !/^[0-9a-f]+$/.test(hex) || /^0+$/.test(hex)) {
    throw new OtlpError(`the ${what} of a span is not ${digits / 2} bytes that mean something`)
  }
  return hex
}
