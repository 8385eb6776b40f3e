import { Anchor, Code, Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { listEntries } from '#platform/kernel/contract.ts'
import { read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
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
      {error !== null && <Problem error={error} />}
      {data === undefined && error === null && <Skeleton height={300} radius="lg" />}
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
  const { data, error } = useQuery(
    read(listEntries, { operation: 'start-release', limit: looked }, ['release', 'pending-operation']),
  )
  const rows = judgementsOf(policy, data?.items ?? [])
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
        {data !== undefined && rows.length === 0 && (
          <Text size="sm" c="dimmed">
            It was not asked yet.
          </Text>
        )}
        {rows.length > 0 && (
          <DataTable
            label="Last judgements"
            rows={rows.slice(0, 20)}
            rowKey={({ entry }) => entry}
            columns={[
              {
                title: 'When',
                cell: ({ at, entry }) => (
                  <Anchor inherit renderRoot={(props) => <Link {...props} to="/ledger/$entry" params={{ entry }} />}>
                    <Instant at={at} />
                  </Anchor>
                ),
              },
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
              { title: 'The release', cell: ({ outcome }) => outcome },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}
