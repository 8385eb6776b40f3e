import { Code, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { listEntries, listPendingOperations } from '#platform/kernel/contract.ts'
import { read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { EntriesAbout } from '../../../console/entries-about.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { getPolicy } from '../contract.ts'
import { judgementsOf } from './rule-view.ts'

/** A gate policy: its rules, whom it concerns, and what it said lately. */
export function PolicyPage() {
  const { policy } = getRouteApi('/signed-in/policies/$policy').useParams()
  const { data, error } = useQuery(read(getPolicy, { policy }, ['policy']))
  return (
    <Page
      title={policy}
      within={[{ title: 'Policies', link: { to: '/policies' } }]}
      about={data?.spec.description || undefined}
    >
      <Pending data={data} error={error} />
      {data !== undefined && (
        <Stack>
          <Facts
            of={{
              Models:
                data.spec.appliesTo.models.length === 0
                  ? 'all'
                  : data.spec.appliesTo.models.map((model) => (
                      <span key={model}>
                        <SubjectLink kind="model" id={model} bare />{' '}
                      </span>
                    )),
              Tiers: data.spec.appliesTo.tiers.length === 0 ? 'all' : data.spec.appliesTo.tiers.join(', '),
              Approvals:
                data.spec.approvals.length === 0
                  ? 'none'
                  : data.spec.approvals
                      .map(({ tiers, quorum }) => `${quorum} for models of tier ${tiers.join(' or ')}`)
                      .join('; '),
              'A request waits': `${Number.parseInt(data.spec.approvalLifetime, 10)} d`,
              Declared: <Instant at={data.updatedAt} />,
              Identity: <span title={data.digest}>{shortened(data.digest)}</span>,
            }}
          />
          <Panel>
            <Section title="Rules">
              <DataTable
                label="Rules"
                rows={data.spec.rules}
                rowKey={({ name }) => name}
                columns={[
                  { title: 'Rule', cell: ({ name }) => <strong>{name}</strong> },
                  {
                    title: 'Expression',
                    wrap: true,
                    cell: ({ check }) => <Code style={{ overflowWrap: 'anywhere' }}>{check}</Code>,
                  },
                  { title: 'What a failure means', wrap: true, cell: ({ message }) => message },
                ]}
              />
              <Text size="sm" c="dimmed" mt="xs">
                A rule that cannot be evaluated fails. To change the policy, change its manifest and run{' '}
                <code>pave apply</code>; to see it, <code>pave get-policy --policy {policy}</code>.
              </Text>
            </Section>
          </Panel>
          <Judgements policy={policy} />
          <EntriesAbout subject={`policy:${policy}`} title="Changes" />
        </Stack>
      )}
    </Page>
  )
}

const looked = 200

function Judgements({ policy }: { policy: string }) {
  const entries = useQuery(
    read(listEntries, { operation: 'start-release', limit: looked }, ['release', 'pending-operation']),
  )
  const pending = useQuery(
    read(listPendingOperations, { state: 'all', newestFirst: true, limit: looked }, ['pending-operation']),
  )
  const error = entries.error ?? pending.error
  const rows = judgementsOf(policy, entries.data?.items ?? [], pending.data?.items ?? [])
  return (
    <Panel>
      <Section
        title="Last judgements"
        aside={
          <Text size="sm" c="dimmed">
            among the last {looked} releases that were asked for
          </Text>
        }
      >
        {error !== null && <Problem error={error} />}
        {entries.data !== undefined && pending.data !== undefined && rows.length === 0 && (
          <Text size="sm" c="dimmed">
            It was not asked yet.
          </Text>
        )}
        {rows.length > 0 && (
          <DataTable
            label="Last judgements"
            rows={rows.slice(0, 20)}
            rowKey={({ id }) => id}
            columns={[
              { title: 'When', cell: ({ at }) => <Instant at={at} /> },
              {
                title: 'Version',
                cell: ({ version }) => (version === undefined ? '–' : <SubjectLink kind="version" id={version} bare />),
              },
              {
                title: 'Judgement',
                wrap: true,
                cell: ({ failed }) =>
                  failed.length === 0 ? (
                    <State tone="good">passed</State>
                  ) : (
                    <State tone="bad">failed {failed.join(', ')}</State>
                  ),
              },
              {
                title: 'Where',
                cell: ({ kind, id }) => (
                  <>
                    {kind === 'entry' ? 'entry' : 'approval'} <SubjectLink kind={kind} id={id} bare />
                  </>
                ),
              },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}
