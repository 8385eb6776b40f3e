import { Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { evaluateGates } from '#modules/governance/contract.ts'
import { listIncidents } from '#modules/incidents/contract.ts'
import { read } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { count, counted, duration } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { listEntries } from '../../../platform/kernel/contract.ts'
import { getEndpoint, getRelease, type Release } from '../contract.ts'
import { Assessment } from './assessment.tsx'
import { ReleaseStages, releaseTones, stageOf } from './release-stages.tsx'
import { isRunning, stepsOf } from './release-view.ts'
import { RollBackButton } from './roll-back-button.tsx'
import { VerdictTable } from './verdict-table.tsx'

const route = getRouteApi('/signed-in/releases/$release')

/** One release from its reason to its end: each step with its verdicts, and the evidence behind it. */
export function ReleasePage() {
  const { release: id } = route.useParams()
  const { data, error } = useQuery(read(getRelease, { release: id }, ['release']))
  if (data === undefined) {
    return (
      <Page title="Release" within={[{ title: 'Endpoints', link: { to: '/endpoints' } }]}>
        {error === null ? <Skeleton height={280} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  return <KnownRelease release={data} />
}

function KnownRelease({ release }: { release: Release }) {
  const { environment, endpoint: name, version, previous, startedAt, endedAt } = release
  const running = isRunning(release)
  const endpoint = useQuery(read(getEndpoint, { environment, endpoint: name }, ['endpoint', 'release']))
  return (
    <Page
      title={`${version} to ${environment}/${name}`}
      within={[
        { title: 'Endpoints', link: { to: '/endpoints' } },
        {
          title: `${environment}/${name}`,
          link: { to: '/endpoints/$environment/$endpoint', params: { environment, endpoint: name } },
        },
      ]}
      about={release.note || undefined}
      actions={
        endpoint.data?.release?.id === release.id && <RollBackButton endpoint={endpoint.data} urgent={running} />
      }
    >
      <Panel>
        <Stack gap="md">
          <Facts
            of={{
              State: <State tone={releaseTones[release.state]}>{stageOf(release)}</State>,
              Version: <SubjectLink kind="version" id={version} bare />,
              'In place of':
                previous === null ? 'nothing: the first' : <SubjectLink kind="version" id={previous} bare />,
              'Started by': release.startedByName ?? release.startedBy,
              Began: <Instant at={startedAt} />,
              ...(endedAt === null
                ? { 'Running for': <Age at={startedAt} suffix="" /> }
                : { Took: duration(Date.parse(endedAt) - Date.parse(startedAt)) }),
            }}
          />
          <ReleaseStages release={release} />
          {release.reason !== null && (
            <Text style={{ overflowWrap: 'anywhere' }}>
              {release.state === 'rolled-back' && 'Rolled back: '}
              {release.reason}
            </Text>
          )}
          {running && <Assessment release={release} />}
          <IncidentOf release={release.id} />
        </Stack>
      </Panel>
      <Panel>
        <Section title="Steps">
          <Stack gap="lg">
            {stepsOf(release).map((step) => (
              <div key={step.at}>
                <State tone={releaseTones[step.state]}>{stageOf(step)}</State>{' '}
                <Text span size="sm" c="dimmed">
                  <Instant at={step.at} />
                  {step.state !== 'rolled-back' &&
                    step.state !== 'completed' &&
                    (step.until === null
                      ? ', until now'
                      : `, for ${duration(Date.parse(step.until) - Date.parse(step.at))}`)}
                  {step.rows > 0 && `, reached with ${count(step.rows)} rows of ${version}`}
                </Text>
                {step.verdicts.length > 0 && <VerdictTable verdicts={step.verdicts} />}
              </div>
            ))}
          </Stack>
        </Section>
      </Panel>
      <GatesBehind version={version} release={release.id} />
      <EntriesAbout subject={`release:${release.id}`} title="Ledger" />
    </Page>
  )
}

function IncidentOf({ release }: { release: string }) {
  const { data } = useQuery(read(listIncidents, { cause: release, limit: 1 }, ['incident']))
  const incident = data?.items[0]
  if (incident === undefined) return null
  return (
    <Text style={{ overflowWrap: 'anywhere' }}>
      Opened <SubjectLink kind="incident" id={incident.incident} bare />: {incident.title}
    </Text>
  )
}

function GatesBehind({ version, release }: { version: string; release: string }) {
  const { data, error } = useQuery(read(evaluateGates, { version }, ['policy', 'version']))
  if (error) return <Problem error={error} />
  if (data === undefined) return null
  return (
    <Panel>
      <Section
        title="Gates, as they stand now"
        aside={<State tone={data.passed ? 'good' : 'bad'}>{data.passed ? 'passed' : 'failed'}</State>}
      >
        {data.rules.length === 0 && <Text c="dimmed">No policy applies to this model.</Text>}
        {data.rules.map((rule) => (
          <Text key={`${rule.policy} ${rule.rule}`} size="sm" style={{ overflowWrap: 'anywhere' }}>
            <State tone={rule.passed ? 'good' : 'bad'}>{rule.rule}</State> {rule.message}{' '}
            <Text span c="dimmed" size="sm">
              {Object.entries(rule.values)
                .map(
                  ([name, value]) =>
                    `${name} ${typeof value === 'number' ? Number(value.toPrecision(4)) : String(value)}`,
                )
                .join(', ')}
            </Text>
          </Text>
        ))}
        <ApprovalsBehind release={release} quorum={data.approvals.quorum} />
      </Section>
    </Panel>
  )
}

/** Who approved it, as the ledger tells: the start of a release names the request that was approved. */
function ApprovalsBehind({ release, quorum }: { release: string; quorum: number }) {
  const start = useQuery(
    read(listEntries, { subject: `release:${release}`, operation: 'start-release', limit: 1 }, ['release']),
  ).data?.items[0]
  const request = start?.subjects.find((subject) => subject.kind === 'pending-operation')?.id
  const approvals = useQuery({
    ...read(listEntries, { subject: `pending-operation:${request}`, operations: 'approve,reject', limit: 20 }),
    enabled: request !== undefined,
  }).data?.items
  if (start === undefined) return null
  if (request === undefined) {
    return quorum === 0 ? null : (
      <Text size="sm" c="dimmed" mt="xs">
        It was started without an approval; the policies of now ask for {counted(quorum, 'approval')}.
      </Text>
    )
  }
  return (
    <Text size="sm" mt="xs">
      <SubjectLink kind="pending-operation" id={request} />{' '}
      {approvals?.map(({ id, operation, actor, at }) => (
        <span key={id}>
          {operation === 'approve' ? 'approved' : 'rejected'} by <PersonName id={actor.id} />, <Instant at={at} />{' '}
        </span>
      ))}
    </Text>
  )
}
