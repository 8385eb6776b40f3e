import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { read } from '../../../console/api.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { listEntries } from '../../../platform/kernel/contract.ts'

/** When the newest event of a dataset that was pushed became available; undefined while it is not known. */
export function useNewestEvent(dataset: string): { at: string | null; entry: string | null } | undefined {
  const subject = `dataset:${dataset}`
  const { data } = useQuery(read(listEntries, { operation: 'push-events', subject, limit: 1 }, ['dataset']))
  if (data === undefined) return undefined
  const [entry] = data.items
  const last = entry?.facts?.['last']
  return { at: typeof last === 'string' ? last : null, entry: entry?.id ?? null }
}

/** How new what the online features know is, leading to the ledger entry that brought it. */
export function Freshness({ dataset }: { dataset: string }) {
  const newest = useNewestEvent(dataset)
  if (newest === undefined) return null
  const { at, entry } = newest
  if (at === null || entry === null) {
    return (
      <Text span size="sm" c="dimmed">
        none was pushed
      </Text>
    )
  }
  return (
    <Anchor inherit renderRoot={(props) => <Link {...props} to="/ledger/$entry" params={{ entry }} />}>
      <Instant at={at} />
    </Anchor>
  )
}
