import { keepable, tracesFailure } from './tables.ts'

/** Attributes of a span that mean something to Pave: MLflow's own and those of OpenTelemetry's GenAI conventions. */
export interface KnownAttributes {
  type: string
  usage: { input: number; output: number; total: number } | null
  cost: number | null
  session: string | null
  user: string | null
  inputs: unknown
  outputs: unknown
  /** What its client wants as tags of the whole trace. */
  traceTags: Record<string, string>
}

const types = new Map([
  ['chat', 'CHAT_MODEL'],
  ['text_completion', 'LLM'],
  ['generate_content', 'LLM'],
  ['embeddings', 'EMBEDDING'],
  ['execute_tool', 'TOOL'],
  ['invoke_agent', 'AGENT'],
  ['create_agent', 'AGENT'],
])
const traceTag = 'mlflow.traceTag.'
const longestType = 250

/** @throws `span_invalid` when the text is no JSON object */
export function parseAttributes(text: string, what: string): Record<string, unknown> {
  if (text === '{}') return {}
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    // It is told below.
  }
  throw tracesFailure('span_invalid', `The attributes of ${what} are no JSON object`)
}

export function readAttributes(attributes: Record<string, unknown>): KnownAttributes {
  const at = (key: string): unknown => (Object.hasOwn(attributes, key) ? attributes[key] : undefined)
  const tags = Object.entries(attributes).filter(([key]) => key.startsWith(traceTag))
  return {
    type: (textOf(at('mlflow.spanType')) ?? types.get(String(at('gen_ai.operation.name'))) ?? 'UNKNOWN').slice(
      0,
      longestType,
    ),
    usage:
      usageOf(fieldsOf(at('mlflow.chat.tokenUsage'))) ??
      usageOf({ input_tokens: at('gen_ai.usage.input_tokens'), output_tokens: at('gen_ai.usage.output_tokens') }),
    cost: countOf(fieldsOf(at('mlflow.llm.cost'))['total_cost']),
    session: textOf(at('session.id')) ?? textOf(at('gen_ai.conversation.id')),
    user: textOf(at('user.id')),
    inputs: at('mlflow.spanInputs') ?? at('gen_ai.input.messages') ?? at('input.value'),
    outputs: at('mlflow.spanOutputs') ?? at('gen_ai.output.messages') ?? at('output.value'),
    traceTags: Object.fromEntries(
      tags.map(([key, value]) => [key.slice(traceTag.length), typeof value === 'string' ? value : jsonOf(value)]),
    ),
  }
}

const longestPreview = 1000

/** What was asked or answered, as people want to see it in a list: the last message of that role, else the JSON. */
export function previewOf(value: unknown, role: 'user' | 'assistant'): string | null {
  if (value === undefined || value === null) return null
  const text = lastMessage(value, role) ?? (typeof value === 'string' ? value : jsonOf(value))
  return keepable(text.length > longestPreview ? `${text.slice(0, longestPreview - 3)}...` : text)
}

function lastMessage(value: unknown, role: string): string | undefined {
  const { messages, choices } = fieldsOf(value)
  const list = Array.isArray(messages)
    ? messages
    : Array.isArray(choices)
      ? choices.map((choice) => fieldsOf(choice)['message'])
      : []
  const content = list.map(fieldsOf).findLast((message) => message['role'] === role)?.['content']
  return typeof content === 'string' && content !== '' ? content : undefined
}

function usageOf(fields: Record<string, unknown>): KnownAttributes['usage'] {
  const [input, output] = [countOf(fields['input_tokens']), countOf(fields['output_tokens'])]
  const total = countOf(fields['total_tokens'])
  if (input === null && output === null && total === null) return null
  return { input: input ?? 0, output: output ?? 0, total: total ?? (input ?? 0) + (output ?? 0) }
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER
    ? value
    : null
}

/** Some clients write objects as JSON within a text. */
function fieldsOf(value: unknown): Record<string, unknown> {
  if (isRecord(value)) return value
  if (typeof value !== 'string' || !value.startsWith('{')) return {}
  try {
    return fieldsOf(JSON.parse(value))
  } catch {
    return {}
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? keepable(value).slice(0, 1000) : null
}

/** What is nested too deep for that is left out. */
export function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return '…'
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
