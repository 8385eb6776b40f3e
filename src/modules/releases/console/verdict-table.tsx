import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { count } from '../../../console/design/format.ts'
import { State, type Tone } from '../../../console/design/state.tsx'
import type { Verdict } from '../contract.ts'
import { guardrailName, inUnit } from './guardrails.ts'

/** A verdict, and what is known beside it while a release runs. */
type Judged = Verdict & {
  interval?: { low: number; high: number } | null
  needed?: number
  current?: number | null
}

const tones: Record<Verdict['verdict'], Tone> = { pass: 'good', fail: 'bad', 'no-data': 'idle' }

const Aside = ({ children, phone = false }: { children: ReactNode; phone?: boolean }) => (
  <Text span size="sm" c="dimmed" {...(phone && { hiddenFrom: 'sm' })}>
    {children}
  </Text>
)

const columns: readonly Column<Judged>[] = [
  {
    title: 'Guardrail',
    cell: ({ guardrail, feature }) => (
      <>
        {guardrailName(guardrail)} {feature !== null && <Aside>{feature}</Aside>}
      </>
    ),
  },
  { title: 'Verdict', cell: (one) => <State tone={tones[one.verdict]}>{verdictText(one)}</State> },
  {
    title: 'Value',
    number: true,
    cell: ({ guardrail, value, interval }) => (
      <>
        {value === null ? '–' : inUnit(guardrail, value)}{' '}
        {interval != null && (
          <Aside>
            ({inUnit(guardrail, interval.low)} – {inUnit(guardrail, interval.high)})
          </Aside>
        )}
      </>
    ),
  },
  { title: 'Limit', number: true, cell: ({ guardrail, limit }) => <>≤ {inUnit(guardrail, limit)}</> },
  {
    title: 'Rows',
    number: true,
    cell: ({ rows, needed }) => (
      <>
        {count(rows)} {needed !== undefined && rows < needed && <Aside>of {count(needed)}</Aside>}{' '}
        <Aside phone>rows</Aside>
      </>
    ),
  },
]

/** What each guardrail says: the numbers with their 95 % confidence, and what they are held against. */
export function VerdictTable({ verdicts, current }: { verdicts: readonly Judged[]; current?: string | undefined }) {
  const beside: Column<Judged>[] =
    current === undefined
      ? []
      : [
          {
            title: current,
            number: true,
            cell: ({ guardrail, current: value }) => (
              <>
                <Aside phone>{current}</Aside> {value == null ? '–' : inUnit(guardrail, value)}
              </>
            ),
          },
        ]
  return (
    <DataTable label="Guardrails" columns={[...columns, ...beside]} rows={verdicts} rowKey={(one) => one.guardrail} />
  )
}

function verdictText({ verdict, rows }: Verdict): string {
  if (verdict === 'pass') return 'holds'
  if (verdict === 'fail') return 'broken'
  return rows === 0 ? 'no data yet' : 'too few rows'
}
