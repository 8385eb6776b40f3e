import { Group, Progress, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { read } from '../../../console/api.ts'
import { useNow } from '../../../console/design/age.tsx'
import { count, counted, duration } from '../../../console/design/format.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { assessRelease, type Release } from '../contract.ts'
import { AdvanceButton } from './advance-button.tsx'
import { guardrailName } from './guardrails.ts'
import { stageOf } from './release-stages.tsx'
import { stepTimeLeft } from './release-view.ts'
import { VerdictTable } from './verdict-table.tsx'

/** What the rollout controller would say of a running release this moment. */
export function Assessment({ release }: { release: Release }) {
  // Predictions come as entries about the endpoint.
  const { data, error } = useQuery(read(assessRelease, { release: release.id }, ['release', 'endpoint']))
  const time = useNow(1_000)
  if (error && data === undefined) return <Problem error={error} />
  if (data === undefined) return <Skeleton height={120} />
  if (!data.running) return null
  const { rows, next, unjudged } = data
  const elapsed = time - Date.parse(data.since)
  return (
    <Stack gap="sm">
      <div>
        <Group justify="space-between" gap="0 1rem">
          <Text size="sm">
            <strong>
              {count(rows.step)} of {count(rows.needed)}
            </strong>{' '}
            rows in this step
          </Text>
          <Text size="sm" c="dimmed">
            {duration(elapsed)} in this step
          </Text>
        </Group>
        <Progress
          value={rows.needed === 0 ? 100 : Math.min(100, (rows.step / rows.needed) * 100)}
          aria-label="Rows in this step"
          mt={4}
        />
      </div>
      {next !== null && (
        <Group justify="space-between" align="flex-start" gap="sm">
          <Text size="sm" style={{ flex: '1 1 16rem' }}>
            Next: <strong>{stageOf(next)}</strong> {waitOf(rows, stepTimeLeft(rows, elapsed))}, if every guardrail
            holds.
            {unjudged.length > 0 && ` It waits for a verdict on: ${unjudged.map(guardrailName).join('; ')}.`} A broken
            guardrail rolls it back at once.
          </Text>
          <AdvanceButton release={release} next={next} />
        </Group>
      )}
      {data.guardrails.length > 0 && (
        <VerdictTable verdicts={data.guardrails} current={release.previous ?? undefined} />
      )}
      <Text size="sm" c="dimmed">
        Judged on {counted(rows.candidate, 'row')} of {release.version}
        {release.previous !== null && ` and ${counted(rows.current, 'row')} of ${release.previous}`} since it began.
      </Text>
    </Stack>
  )
}

function waitOf({ step, needed }: { step: number; needed: number }, left: number | undefined): string {
  const missing = needed - step
  if (missing <= 0) return 'at the next predictions'
  const pace = left === undefined ? '' : ` (about ${duration(left)} at the pace of this step)`
  return `after ${counted(missing, 'more row')}${pace}`
}
