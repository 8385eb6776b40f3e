import type { TokenUsage } from './contract.ts'

/** What a client counted for a trace as a whole, which it writes as JSON in the metadata `mlflow.trace.tokenUsage`. */
export function usageOf(json: string | undefined): TokenUsage | null {
  const fields = objectOf(json)
  const at = (key: string) => (Number.isSafeInteger(fields.get(key)) ? Number(fields.get(key)) : null)
  const [input, output, total] = [at('input_tokens'), at('output_tokens'), at('total_tokens')]
  if (input === null && output === null && total === null) return null
  return { input: input ?? 0, output: output ?? 0, total: total ?? (input ?? 0) + (output ?? 0) }
}

/** US dollars, from the metadata `mlflow.trace.cost`. */
export function costOf(json: string | undefined): number | null {
  const cost = objectOf(json).get('total_cost')
  return typeof cost === 'number' && Number.isFinite(cost) ? cost : null
}

function objectOf(json: string | undefined): Map<string, unknown> {
  try {
    return new Map(Object.entries(Object(JSON.parse(json ?? 'null'))))
  } catch {
    return new Map()
  }
}
