import { Anchor, Button, Group, Modal, SegmentedControl, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { z } from 'zod'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { createPrincipal, listPrincipals, type Member, PrincipalKind } from '../contract.ts'
import { AddPersonForm } from './add-person-form.tsx'
import { Lacking, useMay } from './may.tsx'
import { Person } from './person.tsx'
import { scopeText } from './roles-view.ts'
import { SettingsFrame } from './settings-frame.tsx'

const View = z.object({
  principal: z.uuid().optional().catch(undefined),
  kind: PrincipalKind.optional().catch(undefined),
  search: z.string().max(200).optional().catch(undefined),
  add: z.boolean().optional().catch(undefined),
})

/** Who may do what here. */
export function PeoplePage() {
  const [{ principal, kind, search, add }, change] = usePageState(View)
  const mayAdd = useMay(createPrincipal)
  return (
    <SettingsFrame
      title="People"
      about="People, service accounts and inference nodes of this workspace, and what their roles let them do."
      actions={mayAdd && <Button onClick={() => change({ add: true })}>Add</Button>}
    >
      <Lacking to={createPrincipal} what="add anybody" />
      {principal !== undefined && <Person id={principal} />}
      <Group gap="xs" component="search" aria-label="Filter the people">
        <SearchBox
          label="Search by name"
          value={search ?? ''}
          onChange={(text) => change({ search: text.trim() || undefined })}
        />
        <SegmentedControl
          size="xs"
          aria-label="Kind"
          value={kind ?? 'all'}
          onChange={(value) => change({ kind: PrincipalKind.safeParse(value).data })}
          data={[
            { value: 'all', label: 'All' },
            { value: 'user', label: 'People' },
            { value: 'service-account', label: 'Service accounts' },
            { value: 'node', label: 'Nodes' },
          ]}
        />
      </Group>
      <Panel>
        <OperationTable
          label="People"
          operation={listPrincipals}
          input={(cursor) => ({ limit: 50, cursor, ...(kind && { kind }), ...(search && { search }) })}
          about={['user']}
          noun="principal"
          columns={columns}
          rowKey={(one) => one.id}
          empty={
            kind === undefined && search === undefined ? (
              <Empty title="Nobody is here yet" command="pave create-principal ada --role viewer" />
            ) : (
              <Text>Nobody is like that.</Text>
            )
          }
        />
      </Panel>
      <Modal
        opened={add === true && mayAdd}
        onClose={() => change({ add: undefined })}
        title="Add a person, a service account or a node"
        centered
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <AddPersonForm done={(id) => change({ add: undefined, principal: id })} />
      </Modal>
    </SettingsFrame>
  )
}

const columns: readonly Column<Member>[] = [
  {
    title: 'Name',
    cell: ({ id, name }) => (
      <Anchor
        inherit
        fw={550}
        renderRoot={(props) => <Link {...props} to="/settings" search={(now) => ({ ...now, principal: id })} />}
      >
        {name}
      </Anchor>
    ),
  },
  { title: 'Kind', cell: ({ kind }) => kind.replace('-', ' ') },
  {
    title: 'Roles',
    wrap: true,
    cell: ({ roles }) =>
      roles.length === 0 ? (
        <Text span c="dimmed">
          none
        </Text>
      ) : (
        roles.map(({ id, role, scope }, index) => (
          <span key={id}>
            {index > 0 && ', '}
            {role}
            {Object.keys(scope).length > 0 && (
              <Text span c="dimmed">
                {` in ${scopeText(scope)}`}
              </Text>
            )}
          </span>
        ))
      ),
  },
  { title: 'Since', cell: ({ createdAt }) => <Instant at={createdAt} /> },
  {
    title: 'What they did',
    cell: ({ id }) => (
      <Anchor inherit c="dimmed" renderRoot={(props) => <Link {...props} to="/ledger" search={{ actor: id }} />}>
        ledger entries
      </Anchor>
    ),
  },
]
