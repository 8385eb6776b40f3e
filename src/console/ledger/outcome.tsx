import type { LedgerEntry } from '../../platform/kernel/contract.ts'
import { State, type Tone } from '../design/state.tsx'

const tones: Record<LedgerEntry['outcome'], Tone> = { done: 'good', pending: 'warn', refused: 'bad', failed: 'bad' }

export function Outcome({ entry: { outcome, errorCode } }: { entry: Pick<LedgerEntry, 'outcome' | 'errorCode'> }) {
  return (
    <State tone={tones[outcome]}>
      {outcome} {errorCode}
    </State>
  )
}
