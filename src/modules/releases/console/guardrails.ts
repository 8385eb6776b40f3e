import { milliseconds, percent } from '../../../console/design/format.ts'

const guardrails: Record<string, { label: string; unit(value: number): string }> = {
  errorRate: { label: 'Errors and fallbacks', unit: percent },
  latencyP99Ms: { label: 'Latency, p99', unit: milliseconds },
  inputShift: { label: 'Input shift, excess', unit: (value) => `${value.toFixed(2)} PSI` },
}

export const guardrailName = (guardrail: string): string => guardrails[guardrail]?.label ?? guardrail

export const inUnit = (guardrail: string, value: number): string => guardrails[guardrail]?.unit(value) ?? String(value)
