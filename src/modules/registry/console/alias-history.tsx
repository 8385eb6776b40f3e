import { Button, Group, Stack, Text, Textarea } from '@mantine/core'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { client, queries } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Dialog } from '../../../console/design/dialog.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { EntryLink } from '../../../console/entry-link.tsx'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type AliasMove, listAliasMoves, undoAliasMove } from '../contract.ts'

/** Every move of the model's aliases: who, when and why; the last of each can be taken back. */
export function AliasHistory({ model }: { model: string }) {
  const [undoing, setUndoing] = useState<AliasMove>()
  const [opened, setOpened] = useState(false)
  const list = useInfiniteQuery({
    queryKey: [listAliasMoves.name, 'pages', model],
    queryFn: ({ signal, pageParam }) =>
      client.call(listAliasMoves, { model, limit: 10, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    meta: { about: ['version', 'model'] },
  })
  const moves = list.data?.pages.flatMap((page) => page.items) ?? []
  if (list.error !== null) return <Problem error={list.error} />
  if (moves.length === 0) return null
  const last = new Set(new Map(moves.toReversed().map((move) => [move.alias, move])).values())
  const undone = new Set(moves.flatMap(({ undoes }) => undoes ?? []))
  const columns: readonly Column<AliasMove>[] = [
    { title: 'Alias', cell: ({ alias }) => <strong>{alias}</strong> },
    { title: 'From', cell: ({ from }) => <At model={model} version={from} /> },
    { title: 'To', cell: ({ to }) => <At model={model} version={to} /> },
    { title: 'By', cell: ({ by, byName }) => byName ?? <PersonName id={by} /> },
    {
      title: 'When',
      cell: ({ at, entry }) => (
        <EntryLink entry={entry}>
          <Instant at={at} />
        </EntryLink>
      ),
    },
    {
      title: 'Why',
      wrap: true,
      cell: ({ reason, undoes, operation, entry }) => (
        <>
          {reason}{' '}
          <Text span size="sm" c="dimmed">
            {undoes !== null && 'takes back the move before'}
            {isFinal(operation) && operation.replace('-', ' ')}
            {undone.has(entry) && 'was taken back'}
          </Text>
        </>
      ),
    },
    {
      title: 'Undo',
      cell: (move) =>
        last.has(move) && !isFinal(move.operation) ? (
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Undo the last move of ${move.alias}`}
            onClick={() => {
              setUndoing(move)
              setOpened(true)
            }}
          >
            Undo
          </Button>
        ) : null,
    },
  ]
  return (
    <div style={{ marginTop: '1.2rem' }}>
      <Section title="Moves of aliases">
        <DataTable
          label="Moves of aliases"
          columns={columns}
          rows={moves}
          rowKey={(move) => `${move.entry} ${move.alias}`}
        />
        {list.hasNextPage && (
          <Button
            mt="xs"
            variant="default"
            size="xs"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Show more
          </Button>
        )}
      </Section>
      <Dialog opened={opened} onClose={() => setOpened(false)} title={`Undo the move of ${undoing?.alias ?? ''}`}>
        {undoing !== undefined && (
          <UndoForm key={undoing.entry} model={model} move={undoing} close={() => setOpened(false)} />
        )}
      </Dialog>
    </div>
  )
}

/** Moves that are consequences: what took the version away, or the model's name. */
const isFinal = (operation: string): boolean =>
  operation === 'delete-version' || operation === 'delete-model' || operation === 'rename-model'

function At({ model, version }: { model: string; version: number | null }) {
  return version === null ? (
    <Text span c="dimmed">
      –
    </Text>
  ) : (
    <SubjectLink kind="version" id={`${model}@${version}`} bare />
  )
}

const longestReason = 500

function UndoForm({ model, move, close }: { model: string; move: AliasMove; close(): void }) {
  const [reason, setReason] = useState('')
  const undoing = useMutation({
    mutationFn: () => client.call(undoAliasMove, { model, alias: move.alias, move: move.entry, reason: reason.trim() }),
    onSuccess: close,
    // Also after a refusal: the page behind shows where the alias is by now.
    onSettled: () => queries.invalidateQueries(),
  })
  return (
    <Stack
      component="form"
      onSubmit={(event) => {
        event.preventDefault()
        undoing.mutate()
      }}
    >
      <Text size="sm">
        {move.from === null ? (
          <>
            <strong>{move.alias}</strong> is taken away from {model}@{move.to}.
          </>
        ) : (
          <>
            <strong>{move.alias}</strong> goes back to{' '}
            <strong>
              {model}@{move.from}
            </strong>
            {move.to !== null && ` from ${model}@${move.to}`}.
          </>
        )}{' '}
        Whoever names a version by it gets another from then on; what is released stays as it is.
      </Text>
      <Textarea
        label="Reason"
        description="Stays in the ledger with the move"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={longestReason}
        rows={3}
        required
        data-autofocus
      />
      {undoing.error !== null && <Problem error={undoing.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={undoing.isPending} disabled={reason.trim() === ''}>
          Undo the move
        </Button>
      </Group>
    </Stack>
  )
}
