import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { count, percent } from '../../../console/design/format.ts'
import type { DatasetVersion } from '../contract.ts'
import { asideOf, quarantineShare } from './dataset-view.ts'

interface QuarantineLinkProps {
  dataset: string
  version: number
  counts: Pick<DatasetVersion, 'rows' | 'quarantined'>
}

/** How many rows a version set aside, leading to them. */
export function QuarantineLink({ dataset, version, counts }: QuarantineLinkProps) {
  const aside = asideOf(counts)
  if (aside === 0) {
    return (
      <Text span size="sm" c="dimmed">
        none
      </Text>
    )
  }
  return (
    <Anchor
      inherit
      title={`${percent(quarantineShare(counts))} of the rows read`}
      renderRoot={(props) => (
        <Link
          {...props}
          to="/datasets/$dataset/versions/$version"
          params={{ dataset, version: String(version) }}
          search={{ tab: 'quarantine' }}
        />
      )}
    >
      {count(aside)}
    </Anchor>
  )
}
