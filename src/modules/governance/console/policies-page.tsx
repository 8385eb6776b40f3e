import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import type { AnswerOf } from '#platform/operation.ts'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { count } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { listPolicies } from '../contract.ts'
import { appliesText } from './rule-view.ts'

const PageState = z.object({ search: z.string().optional().catch(undefined) })

/** What versions must show before they are released. */
export function PoliciesPage() {
  const [{ search }, change] = usePageState(PageState)
  return (
    <Page title="Policies" about="What a version must show before it is released, and who must approve.">
      <SearchBox
        label="Search by name or description"
        value={search ?? ''}
        onChange={(text) => change({ search: text === '' ? undefined : text })}
      />
      <Panel>
        <OperationTable
          label="Policies"
          operation={listPolicies}
          input={(cursor) => ({ ...(search && { search }), cursor })}
          about={['policy']}
          noun="policy"
          columns={columns}
          rowKey={(row) => row.policy}
          empty={
            search === undefined ? (
              <Empty title="No policy is declared" command="pave apply examples/flight-delays">
                Without one every version may be released. A policy comes from a manifest of kind GatePolicy.
              </Empty>
            ) : (
              <Text c="dimmed">No policy matches.</Text>
            )
          }
        />
      </Panel>
    </Page>
  )
}

type Row = AnswerOf<typeof listPolicies>['items'][number]

const columns: readonly Column<Row>[] = [
  {
    title: 'Policy',
    wrap: true,
    cell: ({ policy, spec }) => (
      <>
        <Anchor inherit fw={600} renderRoot={(props) => <Link {...props} to="/policies/$policy" params={{ policy }} />}>
          {policy}
        </Anchor>
        {spec.description !== '' && (
          <Text size="sm" c="dimmed" lineClamp={1} title={spec.description}>
            {spec.description}
          </Text>
        )}
      </>
    ),
  },
  { title: 'Applies to', wrap: true, cell: ({ spec }) => appliesText(spec) },
  { title: 'Rules', number: true, cell: ({ spec }) => count(spec.rules.length) },
  {
    title: 'Approvals',
    wrap: true,
    cell: ({ spec }) =>
      spec.approvals.length === 0
        ? 'none'
        : spec.approvals.map(({ tiers, quorum }) => `${quorum} for tier ${tiers.join(', ')}`).join('; '),
  },
  { title: 'Declared', cell: ({ updatedAt }) => <Instant at={updatedAt} /> },
]
