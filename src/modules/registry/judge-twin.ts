import type { TwinProblem, TwinReport } from './contract.ts'

/** Bytes. */
export const largestGraph = 2 * 1024 ** 3

/** Why a graph that was compared may not serve; undefined when it may. */
export function judgeTwin(report: TwinReport, tolerance: number): Omit<TwinProblem, 'lines'> | undefined {
  const { difference, worst, labels, samples } = report
  if (difference === null) {
    const [model, graph] = [numberText(worst.model), numberText(worst.graph)]
    return differs(`For sample ${worst.row} of ${samples} the model answers ${model} and the graph ${graph}`)
  }
  if (difference > tolerance) {
    return differs(
      `They differ by ${difference} where ${tolerance} is allowed: for sample ${worst.row} of ${samples} the model answers ${numberText(worst.model)} and the graph ${numberText(worst.graph)}`,
    )
  }
  if (labels !== null && labels > 0) {
    return differs(`The numbers agree, but ${labels} of ${samples} samples get another label`)
  }
  return undefined
}

function differs(message: string) {
  return { code: 'twin_differs', message }
}

function numberText(value: number | null): string {
  return value === null ? 'no number' : String(value)
}
