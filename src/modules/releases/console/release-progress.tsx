import { Badge, Table, Text } from '@mantine/core'
import { count, milliseconds, percent, percentOfBasisPoints } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Section } from '../../../console/design/section.tsx'
import tables from '../../../console/design/tables.module.css'
import type { EndpointSpec, Release, Verdict } from '../contract.ts'
import styles from './release-progress.module.css'
import { guardrailsOf, isRunning, type Stage, stagesOf } from './release-view.ts'

const colours: Record<Release['state'], string> = {
  shadow: 'gray',
  canary: 'orange',
  completed: 'teal',
  'rolled-back': 'red',
}

/** How far a release has come, and what its guardrails say. */
export function ReleaseProgress({ spec, release }: { spec: EndpointSpec; release: Release }) {
  const verdicts = guardrailsOf(spec, release)
  return (
    <Section
      title={`${isRunning(release) ? 'Release under way' : 'Last release'}: ${release.version}`}
      aside={<Badge color={colours[release.state]}>{release.state.replace('-', ' ')}</Badge>}
    >
      <ol className={styles.stages}>
        {stagesOf(spec.strategy, release).map((stage) => (
          <li key={stage.name} data-state={stage.state} aria-current={stage.state === 'current' ? 'step' : undefined}>
            {labelOf(stage)}
          </li>
        ))}
      </ol>
      <Text size="sm" c="dimmed" mt={6}>
        Began <Instant at={release.startedAt} />
        {release.endedAt !== null && (
          <>
            , ended <Instant at={release.endedAt} />
          </>
        )}
        {release.previous !== null && ` · replaces ${release.previous}`}
      </Text>
      {release.reason !== null && (
        <Text size="sm" mt={4}>
          {release.state === 'rolled-back' && 'Rolled back: '}
          {release.reason}
        </Text>
      )}
      {verdicts.length > 0 && release.previous !== null && <Guardrails verdicts={verdicts} />}
    </Section>
  )
}

function labelOf({ name }: Stage): string {
  if (name === 'all') return 'all traffic'
  return name === 'shadow' ? name : percentOfBasisPoints(name)
}

const verdictColours: Record<Verdict['verdict'], string> = { pass: 'teal', fail: 'red', 'no-data': 'gray' }

function Guardrails({ verdicts }: { verdicts: readonly Verdict[] }) {
  return (
    <div className={tables.scroll}>
      <Table mt="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Guardrail</Table.Th>
            <Table.Th>Verdict</Table.Th>
            <Table.Th className={tables.number}>Value</Table.Th>
            <Table.Th className={tables.number}>Limit</Table.Th>
            <Table.Th className={tables.number}>Rows</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {verdicts.map((one) => (
            <Table.Tr key={one.guardrail}>
              <Table.Td>
                {guardrails[one.guardrail]?.label ?? one.guardrail}
                {one.feature !== null && (
                  <Text span size="sm" c="dimmed">
                    {' '}
                    {one.feature}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Badge color={verdictColours[one.verdict]}>{verdictText(one)}</Badge>
              </Table.Td>
              <Table.Td className={tables.number}>
                {one.value === null ? '–' : inUnit(one.guardrail, one.value)}
              </Table.Td>
              <Table.Td className={tables.number}>≤ {inUnit(one.guardrail, one.limit)}</Table.Td>
              <Table.Td className={tables.number}>{count(one.rows)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

function verdictText({ verdict, rows }: Verdict): string {
  if (verdict !== 'no-data') return verdict
  return rows === 0 ? 'no data yet' : 'too few rows'
}

const guardrails: Record<string, { label: string; unit(value: number): string }> = {
  errorRate: { label: 'Errors and fallbacks', unit: percent },
  latencyP99Ms: { label: 'Latency, p99', unit: milliseconds },
  inputShift: { label: 'Input shift, excess', unit: (value) => `${value.toFixed(2)} PSI` },
}

function inUnit(guardrail: string, value: number): string {
  return guardrails[guardrail]?.unit(value) ?? String(value)
}
