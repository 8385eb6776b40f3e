import { Button, Group, Modal, Skeleton, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { client, queries, read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type Finding, getFinding, listEvaluations, resolveFinding } from '../contract.ts'
import { DistributionComparison } from './distribution-comparison.tsx'
import { MetricHistory } from './metric-history.tsx'
import { limitSign, measured, severityTones, subjectOf } from './monitor-view.ts'

const route = getRouteApi('/signed-in/findings/$finding')

/** One finding: why it was raised, on what evidence, and what was done about it. */
export function FindingPage() {
  const { finding: id } = route.useParams()
  const { data, error } = useQuery(read(getFinding, { finding: id }, ['finding']))
  if (data === undefined) {
    return (
      <Page title="Finding" within={[{ title: 'Monitors', link: { to: '/monitors' } }]}>
        {error === null ? <Skeleton height={280} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  return <KnownFinding finding={data} />
}

function KnownFinding({ finding }: { finding: Finding }) {
  const { environment, monitor, endpoint, kind, feature, version, value, threshold, state } = finding
  const evidence = useQuery(
    read(
      listEvaluations,
      { environment, monitor, kind, feature: feature ?? undefined, to: finding.lastSeenAt, limit: 1 },
      ['monitor'],
    ),
  )
  const window = evidence.data?.items[0]
  const subject = subjectOf(finding)
  return (
    <Page
      title={`${subject.slice(0, 1).toUpperCase()}${subject.slice(1)}`}
      within={[
        { title: 'Monitors', link: { to: '/monitors' } },
        {
          title: `${environment}/${monitor}`,
          link: { to: '/monitors/$environment/$monitor', params: { environment, monitor } },
        },
      ]}
      actions={state === 'open' && <ResolveFinding finding={finding.finding} />}
    >
      <Panel>
        <Facts
          of={{
            State:
              state === 'open' ? (
                <State tone={severityTones[finding.severity]}>open</State>
              ) : (
                <State tone="good">resolved</State>
              ),
            Severity: finding.severity,
            'As last seen': `${measured(kind, value)}, the limit is ${limitSign(kind)} ${threshold.toFixed(3)}`,
            Endpoint: <SubjectLink kind="endpoint" id={`${environment}/${endpoint}`} bare />,
            Version: <SubjectLink kind="version" id={version} bare />,
            'Breached since (event time)': <Instant at={finding.since} />,
            'Raised (event time)': <Instant at={finding.raisedAt} />,
            'Last seen (event time)': <Instant at={finding.lastSeenAt} />,
            'Resolved (event time)': finding.resolvedAt === null ? undefined : <Instant at={finding.resolvedAt} />,
            'Retraining that it started':
              finding.run === null ? 'none' : <SubjectLink kind="run" id={finding.run} bare />,
          }}
        />
      </Panel>
      <Panel>
        <Section title="The windows that show it">
          <MetricHistory
            environment={environment}
            monitor={monitor}
            metric={{ kind, feature }}
            to={afterwards(finding.resolvedAt ?? finding.lastSeenAt)}
          />
        </Section>
      </Panel>
      {(kind === 'drift' || kind === 'prediction_drift') && window !== undefined && (
        <Panel>
          <Section title="Training against the window that showed it last">
            <DistributionComparison
              environment={environment}
              endpoint={endpoint}
              version={window.version}
              feature={feature}
              window={{ from: window.from, to: window.at }}
            />
          </Section>
        </Panel>
      )}
      <EntriesAbout
        subject={`finding:${finding.finding}`}
        title="What was done"
        operation="start-retraining,open-incident,resolve-finding"
      />
    </Page>
  )
}

const weekMs = 7 * 86_400_000

/** A week on, to see how it went. */
const afterwards = (at: string): string => new Date(Date.parse(at) + weekMs).toISOString()

function ResolveFinding({ finding }: { finding: string }) {
  const [opened, setOpened] = useState(false)
  const [reason, setReason] = useState('')
  const resolving = useMutation({
    mutationFn: () => client.call(resolveFinding, { finding, reason: reason.trim() }),
    onSuccess: async () => {
      await queries.invalidateQueries()
      setOpened(false)
    },
  })
  return (
    <>
      <Button variant="default" size="sm" onClick={() => setOpened(true)}>
        Resolve
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Resolve the finding" centered>
        <Stack
          component="form"
          onSubmit={(event) => {
            event.preventDefault()
            resolving.mutate()
          }}
        >
          <Text size="sm">
            Pave resolves it by itself when the value has been clear for long enough. If the value stays beyond its
            limit, the next window raises a new finding.
          </Text>
          <Textarea
            label="Why it is closed"
            description="Stays in the ledger with the finding"
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={2000}
            rows={3}
            required
            data-autofocus
          />
          {resolving.error && <Problem error={resolving.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setOpened(false)}>
              Cancel
            </Button>
            <Button type="submit" loading={resolving.isPending} disabled={reason.trim() === ''}>
              Resolve
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}
