import { Anchor, Group, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Age } from '../../../console/design/age.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { Release } from '../contract.ts'
import { Assessment } from './assessment.tsx'
import { ReleaseStages, releaseTones, stageOf } from './release-stages.tsx'
import { guardrailsOf, isRunning } from './release-view.ts'
import { VerdictTable } from './verdict-table.tsx'

/** How far a release has come, what its guardrails say, and what happens next. */
export function ReleaseProgress({ release }: { release: Release }) {
  const running = isRunning(release)
  return (
    <Panel>
      <Section
        title={`${running ? 'Release under way' : 'Last release'}: ${release.version}`}
        aside={
          <Anchor
            size="sm"
            renderRoot={(props) => <Link {...props} to="/releases/$release" params={{ release: release.id }} />}
          >
            Details
          </Anchor>
        }
      >
        <Stack gap="sm">
          <Group gap="0 1rem">
            <State tone={releaseTones[release.state]}>{stageOf(release)}</State>
            <Text size="sm" c="dimmed">
              began <Age at={release.startedAt} />
              {release.startedByName !== null && ` by ${release.startedByName}`}
              {release.previous !== null && (
                <>
                  , {running ? 'to replace' : 'in place of'} <SubjectLink kind="version" id={release.previous} bare />
                </>
              )}
            </Text>
          </Group>
          {release.note !== '' && <Text style={{ overflowWrap: 'anywhere' }}>{release.note}</Text>}
          <ReleaseStages release={release} />
          {running ? <Assessment release={release} /> : <Ended release={release} />}
        </Stack>
      </Section>
    </Panel>
  )
}

function Ended({ release }: { release: Release }) {
  const verdicts = guardrailsOf(release)
  return (
    <>
      {release.reason !== null && (
        <Text style={{ overflowWrap: 'anywhere' }}>
          {release.state === 'rolled-back' && 'Rolled back: '}
          {release.reason}
        </Text>
      )}
      {verdicts.length > 0 && release.previous !== null && <VerdictTable verdicts={verdicts} />}
    </>
  )
}
