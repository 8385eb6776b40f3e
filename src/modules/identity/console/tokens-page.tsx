import { Button, Group, Modal, Switch, Text } from '@mantine/core'
import { z } from 'zod'
import { client } from '../../../console/api.ts'
import { useNow } from '../../../console/design/age.tsx'
import { ConfirmButton } from '../../../console/design/confirm-button.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { PersonSelect } from '../../../console/person-select.tsx'
import { createToken, listTokens, revokeToken, type Token } from '../contract.ts'
import { JoinTokens } from './join-tokens.tsx'
import { MakeTokenForm } from './make-token-form.tsx'
import { Lacking, useMay } from './may.tsx'
import { SettingsFrame } from './settings-frame.tsx'

const View = z.object({
  make: z.boolean().optional().catch(undefined),
  for: z.string().max(100).optional().catch(undefined),
  principal: z.string().max(100).optional().catch(undefined),
  sessions: z.boolean().optional().catch(undefined),
  ended: z.boolean().optional().catch(undefined),
  search: z.string().max(200).optional().catch(undefined),
})

/** What speaks for whom. */
export function TokensPage() {
  const [{ make, for: principalOfNew, principal, sessions, ended, search }, change] = usePageState(View)
  const [mayMake, mayRevoke] = [useMay(createToken), useMay(revokeToken)]
  return (
    <SettingsFrame
      title="Tokens"
      about="What programs and sessions of the console carry to speak for somebody. Their secrets are kept nowhere."
      actions={mayMake && <Button onClick={() => change({ make: true })}>Make a token</Button>}
    >
      <Lacking to={createToken} what="make or revoke tokens" />
      <Group component="search" aria-label="Filter the tokens">
        <SearchBox
          label="Search by name"
          value={search ?? ''}
          onChange={(text) => change({ search: text.trim() || undefined })}
        />
        <PersonSelect
          by="name"
          aria-label="Of whom"
          placeholder="Of anybody"
          clearable
          w={200}
          value={principal ?? null}
          onChange={(name) => change({ principal: name ?? undefined })}
        />
        <Switch
          label="With sessions of the console"
          checked={sessions === true}
          onChange={(event) => change({ sessions: event.currentTarget.checked || undefined })}
        />
        <Switch
          label="Only expired and revoked ones"
          checked={ended === true}
          onChange={(event) => change({ ended: event.currentTarget.checked || undefined })}
        />
      </Group>
      <Panel>
        <OperationTable
          label="Tokens"
          operation={listTokens}
          input={(cursor) => ({
            limit: 50,
            cursor,
            sessions: sessions === true,
            valid: ended !== true,
            ended: ended === true,
            ...(principal && { principal }),
            ...(search && { search }),
          })}
          about={['token']}
          noun="token"
          columns={mayRevoke ? [...columns, revoke] : columns}
          rowKey={(one) => one.id}
          empty={
            <Empty title="No token is like that" command="pave create-token ada laptop">
              Programs that call Pave need one:
            </Empty>
          }
        />
      </Panel>
      <JoinTokens />
      <Modal
        opened={make === true && mayMake}
        onClose={() => change({ make: undefined, for: undefined })}
        title="Make an API token"
        size="lg"
        centered
        closeOnClickOutside={false}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <MakeTokenForm principal={principalOfNew ?? null} />
      </Modal>
    </SettingsFrame>
  )
}

type Row = Token

const columns: readonly Column<Row>[] = [
  { title: 'Token', wrap: true, cell: ({ name }) => <strong style={{ overflowWrap: 'anywhere' }}>{name}</strong> },
  { title: 'Speaks for', cell: ({ principal }) => principal },
  { title: 'State', cell: (token) => <TokenState token={token} /> },
  {
    title: 'Made',
    cell: ({ createdAt }) => (
      <>
        <OnPhone>made </OnPhone>
        <Instant at={createdAt} />
      </>
    ),
  },
  {
    title: 'Good until',
    cell: ({ expiresAt }) => (
      <>
        <OnPhone>until </OnPhone>
        {expiresAt === null ? 'it is revoked' : <Instant at={expiresAt} />}
      </>
    ),
  },
  {
    title: 'May ask for predictions',
    wrap: true,
    cell: ({ endpoints }) => (endpoints.includes('*') ? 'every endpoint' : endpoints.join(', ')),
  },
]

const revoke: Column<Row> = { title: 'Revoke', cell: (token) => <Revoke token={token} /> }

/** A phone shows the cells of a row without the titles of their columns. */
function OnPhone({ children }: { children: string }) {
  return (
    <Text span size="sm" c="dimmed" hiddenFrom="sm">
      {children}
    </Text>
  )
}

function TokenState({ token: { revokedAt, expiresAt } }: { token: Row }) {
  const now = useNow()
  if (revokedAt !== null) {
    return (
      <State tone="bad">
        revoked <Instant at={revokedAt} />
      </State>
    )
  }
  if (expiresAt !== null && Date.parse(expiresAt) <= now) return <State tone="idle">expired</State>
  return <State tone="good">good</State>
}

function Revoke({ token: { id, name, principal, revokedAt, session } }: { token: Row }) {
  if (revokedAt !== null) return null
  return (
    <ConfirmButton
      label="Revoke"
      title={`Revoke ${name} of ${principal}`}
      run={() => client.call(revokeToken, { token: id })}
    >
      <Text size="sm">
        {session
          ? `${principal} is asked to sign in again there, and loses nothing that was typed.`
          : `Whatever uses it is refused from now on, and so are the sessions that it opened. Inference nodes follow within a second.`}{' '}
        A revoked token never becomes good again.
      </Text>
    </ConfirmButton>
  )
}
