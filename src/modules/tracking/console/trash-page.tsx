import { Button, Group, Select, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { z } from 'zod'
import { useMay } from '#modules/identity/console/may.tsx'
import { client, queries } from '../../../console/api.ts'
import { Age, useNow } from '../../../console/design/age.tsx'
import { ConfirmButton } from '../../../console/design/confirm-button.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { bytes, counted, duration } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { PersonName } from '../../../console/person-name.tsx'
import { updateExperiment, updateTrackingRun } from '../contract.ts'
import { listTrash, purgeTrash, restoreLoggedModel, type Trashed } from '../trash-contract.ts'

const kinds = { experiment: 'Experiment', run: 'Run', 'logged-model': 'Logged model' }

const PageState = z.object({ kind: z.enum(['experiment', 'run', 'logged-model']).optional().catch(undefined) })

/** What was deleted, and until when it comes back. */
export function TrashPage() {
  const [{ kind }, change] = usePageState(PageState)
  return (
    <Page title="Trash" within={[{ title: 'Experiments', link: { to: '/experiments' } }]}>
      <Select
        aria-label="Kind"
        placeholder="Everything"
        w={180}
        clearable
        data={Object.entries(kinds).map(([value, label]) => ({ value, label }))}
        value={kind ?? null}
        onChange={(value) => change({ kind: PageState.parse({ kind: value ?? undefined }).kind })}
      />
      <Panel>
        <OperationTable
          label="Trash"
          operation={listTrash}
          input={(cursor) => ({ ...(kind && { kind }), cursor })}
          about={['experiment', 'run', 'logged-model']}
          noun="thing"
          columns={columns}
          rowKey={(row) => `${row.kind} ${row.id}`}
          empty={<Text c="dimmed">Nothing is in the trash.</Text>}
        />
      </Panel>
    </Page>
  )
}

const columns: readonly Column<Trashed>[] = [
  {
    title: 'What',
    wrap: true,
    cell: ({ kind, name }) => (
      <>
        <Text span inherit fw={600} style={{ overflowWrap: 'anywhere' }}>
          {name}
        </Text>{' '}
        <Text span inherit c="dimmed">
          {kinds[kind].toLowerCase()}
        </Text>
      </>
    ),
  },
  { title: 'Deleted', cell: ({ deletedAt }) => <Age at={deletedAt} /> },
  { title: 'By', cell: ({ deletedBy }) => (deletedBy === null ? '–' : <PersonName id={deletedBy} />) },
  { title: 'Purged for good', cell: ({ purging, purgeAt }) => (purging ? 'under way' : <Until at={purgeAt} />) },
  { title: 'Size', number: true, cell: (row) => bytes(row.bytes) },
  { title: 'Actions', cell: (row) => (row.purging ? null : <Actions row={row} />) },
]

/** When something goes, and how long that is from now; what is due goes in the next night. */
function Until({ at }: { at: string }) {
  const left = Date.parse(at) - useNow()
  return (
    <>
      <Instant at={at} />{' '}
      <Text span inherit c="dimmed" style={{ whiteSpace: 'nowrap' }}>
        {left > 0 ? `in ${duration(left)}` : 'due'}
      </Text>
    </>
  )
}

function Actions({ row }: { row: Trashed }) {
  const navigate = useNavigate()
  const mayPurge = useMay(purgeTrash)
  const may = {
    experiment: useMay(updateExperiment, { experiment: row.experiment }),
    run: useMay(updateTrackingRun),
    'logged-model': useMay(restoreLoggedModel),
  }
  const restoring = useMutation({ mutationFn: () => restore(row), onSuccess: () => queries.invalidateQueries() })
  return (
    <Group gap="xs" wrap="nowrap">
      {may[row.kind] && (
        <Button
          variant="default"
          size="xs"
          aria-label={`Restore ${row.name}`}
          loading={restoring.isPending}
          onClick={() => restoring.mutate()}
        >
          Restore
        </Button>
      )}
      {mayPurge && (
        <ConfirmButton
          label="Purge"
          title={`Purge ${row.name}`}
          run={async () => {
            const { job } = await client.call(purgeTrash, whatOf(row))
            await navigate({ to: '/jobs/$job', params: { job } })
          }}
        >
          <Text size="sm">
            {counted(row.files, 'file')} ({bytes(row.bytes)}) and everything that was logged go for good. Versions that
            were registered from it keep their files.
          </Text>
        </ConfirmButton>
      )}
      {restoring.error !== null && <Problem error={restoring.error} />}
    </Group>
  )
}

async function restore({ kind, id }: Trashed): Promise<void> {
  if (kind === 'experiment') await client.call(updateExperiment, { experiment: id, state: 'active' })
  else if (kind === 'run') await client.call(updateTrackingRun, { run: id, state: 'active' })
  else await client.call(restoreLoggedModel, { loggedModel: id })
}

function whatOf({ kind, id }: Trashed) {
  if (kind === 'experiment') return { experiments: [id] }
  return kind === 'run' ? { runs: [id] } : { loggedModels: [id] }
}
