import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getFinding } from '#modules/monitoring/contract.ts'
import { predictionStatistics } from '#modules/predictions/contract.ts'
import { getRelease } from '#modules/releases/contract.ts'
import { read } from '../../../console/api.ts'
import { count, counted } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { Incident } from '../contract.ts'

/** How many answers the incident may have touched, as far as records tell; nothing where its cause tells nothing. */
export function BlastRadius({ incident }: { incident: Incident }) {
  const { cause } = incident
  if (cause.kind === 'release') return <OfRelease release={cause.id} />
  return cause.kind === 'finding' ? <OfFinding finding={cause.id} /> : null
}

function OfRelease({ release: id }: { release: string }) {
  const release = useQuery(read(getRelease, { release: id }, ['release'])).data
  if (release === undefined) return null
  return <RowsOf environment={release.environment} endpoint={release.endpoint} version={release.version} />
}

function OfFinding({ finding: id }: { finding: string }) {
  const finding = useQuery(read(getFinding, { finding: id }, ['finding'])).data
  if (finding === undefined) return null
  const { environment, endpoint, version, since } = finding
  return <RowsOf environment={environment} endpoint={endpoint} version={version} since={since} />
}

interface RowsOfProps {
  environment: string
  endpoint: string
  version: string
  since?: string
}

function RowsOf({ environment, endpoint, version, since }: RowsOfProps) {
  const { data } = useQuery(
    read(predictionStatistics, { environment, endpoint, version, ...(since !== undefined && { from: since }) }, [
      'endpoint',
    ]),
  )
  if (data === undefined) return null
  const sum = (variant: 'answered' | 'shadow') =>
    data.items
      .filter((item) => (item.variant === 'shadow') === (variant === 'shadow'))
      .reduce((total, item) => total + item.rows, 0)
  const answered = data.items.filter((item) => item.variant !== 'shadow')
  const failed = answered.reduce((total, item) => total + item.errors + item.fallbacks, 0)
  const shadowed = sum('shadow')
  return (
    <Text>
      <strong>{counted(sum('answered'), 'row')}</strong> {sum('answered') === 1 ? 'was' : 'were'} answered by{' '}
      <SubjectLink kind="version" id={version} bare />
      {since !== undefined && (
        <>
          {' '}
          since <Instant at={since} /> (event time)
        </>
      )}
      , {count(failed)} of them with an error or a fallback.
      {shadowed > 0 && ` ${counted(shadowed, 'row')} more it saw as a shadow, which answers nobody.`}
    </Text>
  )
}
