import { Skeleton, Table, Text } from '@mantine/core'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { predictionStatistics } from '#modules/predictions/contract.ts'
import { client } from '../../../console/api.ts'
import { count, milliseconds, percent, rate } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import tables from '../../../console/design/tables.module.css'
import type { Endpoint } from '../contract.ts'

const hourMs = 3_600_000

/** The last day up to the newest record. Records bear event time, so a replayed spring is live traffic too. */
function lastDay({ environment, endpoint }: Endpoint) {
  return queryOptions({
    queryKey: [predictionStatistics.name, environment, endpoint, 'last day'],
    meta: { about: ['endpoint'] },
    queryFn: async ({ signal }) => {
      const nothing = new Date(0).toISOString()
      const { watermark } = await client.call(predictionStatistics, { environment, endpoint, to: nothing }, { signal })
      if (watermark === null) return null
      const until = Date.parse(watermark)
      const from = Math.floor(until / hourMs) * hourMs - 23 * hourMs
      const input = { environment, endpoint, from: new Date(from).toISOString() }
      const { items } = await client.call(predictionStatistics, input, { signal })
      return { watermark, spanMs: until - from, items }
    },
  })
}

/** What each version answered lately, how fast and how well. */
export function LiveTraffic({ endpoint }: { endpoint: Endpoint }) {
  const { data, error, isPending } = useQuery(lastDay(endpoint))
  return (
    <Section
      title="Predictions in the last 24 h"
      aside={
        data && (
          <Text size="sm" c="dimmed">
            of event time, to <Instant at={data.watermark} />
          </Text>
        )
      }
    >
      {error && <Problem error={error} />}
      {isPending && <Skeleton height={60} />}
      {data === null && (
        <Text size="sm" c="dimmed">
          No predictions were recorded yet.
        </Text>
      )}
      {data && (
        <div className={tables.scroll}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Version</Table.Th>
                <Table.Th className={tables.number}>Rows</Table.Th>
                <Table.Th className={tables.number}>Rate</Table.Th>
                <Table.Th className={tables.number}>p50</Table.Th>
                <Table.Th className={tables.number}>p99</Table.Th>
                <Table.Th className={tables.number}>Errors</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.items.map(({ version, variant, rows, errors, fallbacks, latencyMs }) => (
                <Table.Tr key={`${version} ${variant}`}>
                  <Table.Td>
                    {version}{' '}
                    <Text span size="sm" c="dimmed">
                      {variant}
                    </Text>
                  </Table.Td>
                  <Table.Td className={tables.number}>{count(rows)}</Table.Td>
                  <Table.Td className={tables.number}>{rate(rows, data.spanMs)}</Table.Td>
                  <Table.Td className={tables.number}>
                    {latencyMs.p50 === null ? '–' : milliseconds(latencyMs.p50)}
                  </Table.Td>
                  <Table.Td className={tables.number}>
                    {latencyMs.p99 === null ? '–' : milliseconds(latencyMs.p99)}
                  </Table.Td>
                  <Table.Td className={tables.number} title={`${count(errors)} errors, ${count(fallbacks)} fallbacks`}>
                    {rows === 0 ? '–' : percent((errors + fallbacks) / rows)}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Section>
  )
}
