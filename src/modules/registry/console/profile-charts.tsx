import { Button, SimpleGrid, Stack, Text, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'
import { Chart } from '../../../console/design/chart.tsx'
import { counted, percent } from '../../../console/design/format.ts'
import type { FeatureProfile } from '../contract.ts'
import { metricText } from './metric-view.ts'
import { densityOf, describeProfile, nullShare } from './profile-view.ts'

export interface NamedProfiles {
  name: string
  profiles: readonly FeatureProfile[]
}

const pageSize = 12

/** The distribution of each feature; of several versions on top of each other. */
export function ProfileCharts({ of }: { of: readonly NamedProfiles[] }) {
  const [search, setSearch] = useState('')
  const [shown, setShown] = useState(pageSize)
  const names = [...new Set(of.flatMap(({ profiles }) => profiles.map((one) => one.name)))]
  const found = names.filter((name) => name.toLowerCase().includes(search.toLowerCase()))
  return (
    <Stack gap="sm">
      {names.length > pageSize && (
        <TextInput
          type="search"
          aria-label="Search features"
          placeholder="Search features"
          value={search}
          w={{ base: '100%', xs: 280 }}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="lg">
        {found.slice(0, shown).map((name) => (
          <ProfileChart key={name} name={name} of={of} />
        ))}
      </SimpleGrid>
      {found.length > shown && (
        <Button variant="default" size="xs" onClick={() => setShown(shown + pageSize)} style={{ alignSelf: 'start' }}>
          Show more of {counted(found.length, 'feature')}
        </Button>
      )}
    </Stack>
  )
}

function ProfileChart({ name, of }: { name: string; of: readonly NamedProfiles[] }) {
  const found = useMemo(
    () =>
      of.flatMap(({ name: version, profiles }) => {
        const profile = profiles.find((one) => one.name === name)
        return profile === undefined ? [] : [{ version, profile, steps: densityOf(profile) }]
      }),
    [of, name],
  )
  const option = useMemo(
    () => ({
      tooltip: { show: false },
      legend: { show: found.length > 1, left: 0 },
      grid: { left: 4, right: 8, top: found.length > 1 ? 28 : 6, bottom: 4, containLabel: true },
      xAxis: { type: 'value', scale: true, splitLine: { show: false }, axisLabel: { hideOverlap: true } },
      yAxis: { type: 'value', show: false },
      series: found.map(({ version, steps }) => ({
        name: version,
        type: 'line',
        step: 'end',
        symbol: 'none',
        lineStyle: { width: 1.5 },
        areaStyle: { opacity: found.length > 1 ? 0.08 : 0.25 },
        data: steps,
      })),
    }),
    [found],
  )
  return (
    <div style={{ minWidth: 0 }}>
      <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
        {name}
      </Text>
      {found.every(({ steps }) => steps.length === 0) ? (
        <Text size="sm" c="dimmed">
          Nothing to draw: no values, or only one.
        </Text>
      ) : (
        <Chart
          height={130}
          label={found.map(({ version, profile }) => `${version}, ${describeProfile(profile)}`).join('; ')}
          option={option}
        />
      )}
      {found.map(({ version, profile }) => (
        <Text key={version} size="xs" c="dimmed">
          {found.length > 1 && `${version}: `}
          {profile.mean !== null && `mean ${metricText(profile.mean)}`}
          {profile.std !== null && ` ± ${metricText(profile.std)}`}, {percent(nullShare(profile))} missing
        </Text>
      ))}
    </div>
  )
}
