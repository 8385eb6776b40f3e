import { Anchor, Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { client, queries, read } from '../../../console/api.ts'
import { ConfirmButton } from '../../../console/design/confirm-button.tsx'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Secret } from '../../../console/design/secret.tsx'
import { Section } from '../../../console/design/section.tsx'
import {
  bindRole,
  createSignInLink,
  createToken,
  getPrincipal,
  listRoleBindings,
  type Principal,
  type Role,
  type RoleBinding,
  unbindRole,
} from '../contract.ts'
import { Lacking, useMay } from './may.tsx'
import { RoleFields } from './role-fields.tsx'
import { roles, type ScopeKind, scopeOf, scopeText } from './roles-view.ts'

/** One principal: its roles, and a way in for people. */
export function Person({ id }: { id: string }) {
  const { data: principal, error } = useQuery(read(getPrincipal, { principal: id }, ['user']))
  if (error !== null) return <Problem error={error} />
  if (principal === undefined) return <Skeleton height={160} radius="lg" />
  return <Known principal={principal} key={id} />
}

function Known({ principal }: { principal: z.output<typeof Principal> }) {
  const { name, kind } = principal
  const [mayBind, mayMake] = [useMay(bindRole), useMay(createToken)]
  const bindings = useQuery(read(listRoleBindings, { principal: name, limit: 200 }, ['user']))
  return (
    <Panel>
      <Section
        title={name}
        aside={
          <Group gap="xs">
            {kind === 'user' && mayMake && <SignInLink name={name} />}
            {mayBind && <GiveRole name={name} />}
            {mayMake && (
              <Button
                size="xs"
                variant="default"
                renderRoot={(props) => <Link {...props} to="/settings/tokens" search={{ make: true, for: name }} />}
              >
                Make a token
              </Button>
            )}
            <Anchor
              size="sm"
              renderRoot={(props) => <Link {...props} to="/settings/tokens" search={{ principal: name }} />}
            >
              Their tokens
            </Anchor>
            <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/settings" />}>
              Close
            </Anchor>
          </Group>
        }
      >
        <Lacking to={bindRole} what="give or take back roles" />
        {bindings.error !== null && <Problem error={bindings.error} />}
        {bindings.data?.items.length === 0 && <Text>{name} has no role, and so may do nothing.</Text>}
        {bindings.data !== undefined && bindings.data.items.length > 0 && (
          <DataTable
            label={`Roles of ${name}`}
            columns={mayBind ? [...columns, takeBack] : columns}
            rows={bindings.data.items}
            rowKey={(one) => one.id}
          />
        )}
      </Section>
    </Panel>
  )
}

const columns: readonly Column<z.output<typeof RoleBinding>>[] = [
  { title: 'Role', cell: ({ role }) => <strong>{role}</strong> },
  { title: 'Where', cell: ({ scope }) => scopeText(scope) },
  {
    title: 'What it lets do',
    wrap: true,
    cell: ({ role }) => (
      <Text span size="sm" c="dimmed">
        {roles[role]}
      </Text>
    ),
  },
]

const takeBack: Column<z.output<typeof RoleBinding>> = {
  title: 'Take back',
  cell: ({ id, principal, role, scope }) => (
    <ConfirmButton
      label="Take back"
      title={`Take back the role ${role} of ${principal}`}
      run={() => client.call(unbindRole, { binding: id })}
    >
      {principal} stops being {role} ({scopeText(scope)}) with the next request. What they started goes on; what waits
      for approval and was asked by them runs only if they may still do it then.
    </ConfirmButton>
  ),
}

function GiveRole({ name }: { name: string }) {
  const [opened, setOpened] = useState(false)
  const [role, setRole] = useState<Role>('viewer')
  const [scope, setScope] = useState<{ kind: ScopeKind; name: string }>({ kind: 'everywhere', name: '' })
  const binding = useMutation({
    mutationFn: () => client.call(bindRole, { principal: name, role, scope: scopeOf(scope.kind, scope.name) }),
    onSuccess: async () => {
      await queries.invalidateQueries()
      setOpened(false)
    },
  })
  return (
    <>
      <Button size="xs" onClick={() => setOpened(true)}>
        Give a role
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={`Give ${name} a role`}
        centered
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack
          component="form"
          onSubmit={(event: { preventDefault(): void }) => {
            event.preventDefault()
            binding.mutate()
          }}
        >
          <RoleFields role={role} setRole={setRole} scope={scope} setScope={setScope} />
          {binding.error !== null && <Problem error={binding.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={binding.isPending}>
              Give
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}

/** For somebody who has no way in yet: to be handed over by a way that others do not read. */
function SignInLink({ name }: { name: string }) {
  const making = useMutation({ mutationFn: () => client.call(createSignInLink, { principal: name }) })
  return (
    <>
      <Button size="xs" variant="default" loading={making.isPending} onClick={() => making.mutate()}>
        Make a sign-in link
      </Button>
      <Modal
        opened={making.data !== undefined || making.error !== null}
        onClose={() => making.reset()}
        title={`Sign-in link for ${name}`}
        centered
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {making.error !== null && <Problem error={making.error} />}
        {making.data !== undefined && (
          <Stack>
            <Text size="sm">It works once, for ten minutes. Whoever has it signs in as {name}.</Text>
            <Secret label="Sign-in link" value={`${window.location.origin}/sign-in#${making.data.code}`} />
          </Stack>
        )}
      </Modal>
    </>
  )
}
