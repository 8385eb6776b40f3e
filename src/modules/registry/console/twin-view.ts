import type { Tone } from '../../../console/design/state.tsx'
import { convertible, type OnnxTwin, type Signature, type Version } from '../contract.ts'

/** Whether there is something to say about a twin: there is one, or one can be asked for. */
export function mayHaveTwin({ artifact, files, flavors, twin }: Version): boolean {
  return (
    artifact === null && (twin !== null || (files !== null && convertible.some((flavor) => flavors.includes(flavor))))
  )
}

export const twinStates: Record<OnnxTwin['state'], { tone: Tone; word: string }> = {
  converting: { tone: 'busy', word: 'converting' },
  ready: { tone: 'good', word: 'ready' },
  differs: { tone: 'bad', word: 'differs' },
  failed: { tone: 'bad', word: 'failed' },
}

/** What the comparison said, in one sentence. */
export function comparison({ report }: OnnxTwin): string | undefined {
  if (report === null) return undefined
  const { maxAbsolute, samples, labels } = report
  const numbers =
    maxAbsolute === null
      ? `does not answer a number where the model does, over ${samples} samples`
      : maxAbsolute === 0
        ? `answers exactly as the model over ${samples} samples`
        : `answers at most ${difference(maxAbsolute)} from the model over ${samples} samples`
  return labels === null || labels === 0 ? `It ${numbers}.` : `It ${numbers}, and ${labels} of them get another label.`
}

/** `5 of the logged example, 256 around the example`. */
export function originsText(origins: Readonly<Record<string, number>>): string {
  const words: Record<string, string> = {
    example: 'of the logged example',
    profile: 'by the training profile',
    signature: 'by the signature',
  }
  return Object.entries(origins)
    .map(([origin, rows]) => `${rows} ${words[origin] ?? origin}`)
    .join(', ')
}

/** Small numbers in the short way: `1.2e-7`. */
export function difference(value: number | null): string {
  if (value === null) return 'no number'
  return value === 0 ? '0' : value < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(2)))
}

/** `features FP32 [any, 3]`. */
export function tensorsText(tensors: Signature['inputs']): string {
  return tensors
    .map(
      ({ name, datatype, shape }) =>
        `${name} ${datatype} [${shape.map((size) => (size === -1 ? 'any' : size)).join(', ')}]`,
    )
    .join(', ')
}
