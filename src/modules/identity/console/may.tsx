import { Code, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { allows, objectOf } from '#platform/actor.ts'
import type { Operation } from '#platform/operation.ts'
import { read } from '../../../console/api.ts'
import { whoami } from '../contract.ts'

/** Whether the reader may do this, by the rule that the server goes by; not until that is known. */
export function useMay(operation: Operation, input: object = {}): boolean {
  const { data: me } = useQuery(read(whoami, {}, ['workspace']))
  const { permission } = operation
  if (typeof permission === 'string') return me !== undefined
  return me !== undefined && allows(me.grants, permission.verb, objectOf(permission, input))
}

/** Says what a reader who may not do something lacks, where its button would be. */
export function Lacking({ to, what }: { to: Operation; what: string }) {
  const { isPending } = useQuery(read(whoami, {}, ['workspace']))
  const may = useMay(to)
  if (may || isPending || typeof to.permission === 'string') return null
  return (
    <Text size="sm" c="dimmed">
      You may not {what}: that takes <Code>{to.permission.verb}</Code> in the whole workspace, which the role admin has.
      Whoever has it can give it to you.
    </Text>
  )
}
