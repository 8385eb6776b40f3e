import { Badge, Skeleton, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { listVersions, type Version } from '#modules/registry/contract.ts'
import { read } from '../../../console/api.ts'
import { score } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import tables from '../../../console/design/tables.module.css'
import type { Endpoint, Release } from '../contract.ts'
import { type VersionState, versionState } from './release-view.ts'

const colours: Record<VersionState, string> = {
  serving: 'teal',
  shadow: 'gray',
  canary: 'orange',
  previous: 'indigo',
  'rolled back': 'red',
  'served before': 'gray',
  registered: 'gray',
}

interface VersionTableProps {
  endpoint: Endpoint
  /** Newest first; undefined until they are known, and the states of the versions with them. */
  releases: readonly Release[] | undefined
}

/** The versions of an endpoint's model and what each of them is to the endpoint. */
export function VersionTable({ endpoint, releases }: VersionTableProps) {
  const { model } = endpoint.spec
  const { data, error, isPending } = useQuery(read(listVersions, { model, limit: 10 }, ['version', 'model']))
  const metric = data === undefined ? undefined : shownMetric(data.items)
  return (
    <Section title={`Versions of ${model}`}>
      {error && <Problem error={error} />}
      {isPending && <Skeleton height={80} />}
      {data?.items.length === 0 && (
        <Text size="sm" c="dimmed">
          None is registered yet.
        </Text>
      )}
      {data !== undefined && data.items.length > 0 && (
        <div className={tables.scroll}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Version</Table.Th>
                <Table.Th>State</Table.Th>
                {metric !== undefined && (
                  <>
                    <Table.Th className={tables.number}>{nameOf(metric)}</Table.Th>
                    <Table.Th className={tables.number}>Baseline {nameOf(metric)}</Table.Th>
                  </>
                )}
                <Table.Th>Aliases</Table.Th>
                <Table.Th>Registered</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.items.map((version) => {
                const state = releases && versionState(version.ref, endpoint, releases)
                return (
                  <Table.Tr key={version.ref}>
                    <Table.Td fw={550} title={version.digest}>
                      {version.ref}
                    </Table.Td>
                    <Table.Td>{state && <Badge color={colours[state]}>{state}</Badge>}</Table.Td>
                    {metric !== undefined && (
                      <>
                        <Table.Td className={tables.number}>{scoreOf(version.metrics[metric])}</Table.Td>
                        <Table.Td className={tables.number} title={version.baseline?.name}>
                          {scoreOf(version.baseline?.metrics[metric])}
                        </Table.Td>
                      </>
                    )}
                    <Table.Td>{version.aliases.join(', ')}</Table.Td>
                    <Table.Td>
                      <Instant at={version.registeredAt} />
                    </Table.Td>
                  </Table.Tr>
                )
              })}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Section>
  )
}

/** AUC where it was measured, else whatever was measured first. */
function shownMetric(versions: readonly Pick<Version, 'metrics'>[]): string | undefined {
  const names = versions.flatMap((version) => Object.keys(version.metrics))
  return names.includes('auc') ? 'auc' : names[0]
}

const nameOf = (metric: string): string => (metric === 'auc' ? 'AUC' : metric)

const scoreOf = (value: number | undefined): string => (value === undefined ? '–' : score(value))
