import { Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { predictionStatistics } from '#modules/predictions/contract.ts'
import { getVersion } from '#modules/registry/contract.ts'
import { read } from '../../../console/api.ts'
import { Chart } from '../../../console/design/chart.tsx'
import { counted } from '../../../console/design/format.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { comparisonOption } from './monitor-view.ts'

interface DistributionComparisonProps {
  environment: string
  endpoint: string
  version: string
  /** The prediction itself when null. */
  feature: string | null
  /** Event time. */
  window: { from: string; to: string }
}

/** What a version was trained on beside what it saw in a window of time, over the bins of its own profile. */
export function DistributionComparison(props: DistributionComparisonProps) {
  const { environment, endpoint, version: ref, feature, window } = props
  const version = useQuery(read(getVersion, { version: ref }, ['version']))
  const live = useQuery(
    read(predictionStatistics, { environment, endpoint, version: ref, variant: 'primary', ...window }, ['endpoint']),
  )
  const profile =
    feature === null ? version.data?.predictionProfile : version.data?.profile.find((one) => one.name === feature)
  const seen = live.data?.items[0]
  const counts = feature === null ? seen?.prediction : seen?.features[feature]
  const option = useMemo(
    () => (profile == null || counts === undefined ? undefined : comparisonOption(profile.edges, profile, counts)),
    [profile, counts],
  )
  const error = version.error ?? live.error
  if (error) return <Problem error={error} />
  if (version.data === undefined || live.data === undefined) return <Skeleton height={240} />
  if (option === undefined || seen === undefined || profile == null) {
    return (
      <Text size="sm" c="dimmed">
        {profile == null
          ? `${ref} was registered without a profile of it.`
          : 'No request of this time is known any more.'}
      </Text>
    )
  }
  return (
    <>
      <Text size="sm" c="dimmed">
        {counted(profile.count, 'row')} in training, {counted(seen.rows, 'row')} in the window
      </Text>
      <Chart
        label={`Distribution of ${feature ?? 'the prediction'}: training data of ${ref} beside the window`}
        option={option}
      />
    </>
  )
}
