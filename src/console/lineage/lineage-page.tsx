import { Group, SegmentedControl, Switch } from '@mantine/core'
import { getRouteApi } from '@tanstack/react-router'
import { z } from 'zod'
import { shortened } from '../design/format.ts'
import { Page } from '../design/page.tsx'
import { Panel } from '../design/panel.ts'
import { EntriesAbout } from '../entries-about.tsx'
import { usePageState } from '../page-state.ts'
import { SubjectLink } from '../subject-link.tsx'
import { LineageGraph } from './lineage-graph.tsx'
import { thingOf } from './lineage-view.ts'

const route = getRouteApi('/signed-in/lineage/$object')

const View = z.object({
  depth: z.coerce.number().int().min(1).max(20).catch(10),
  files: z.boolean().catch(false),
})

/** What a thing was made from, and what came of it. */
export function LineagePage() {
  const { object } = route.useParams()
  const [{ depth, files }, change] = usePageState(View)
  const { kind, id } = thingOf(object)
  return (
    <Page
      title={`Lineage of ${kind} ${shortened(id)}`}
      heading={
        <>
          Lineage of <SubjectLink kind={kind} id={id} />
        </>
      }
      about={shortened(id) === id ? undefined : id}
      actions={
        <Group>
          <Switch
            label="Stored files"
            checked={files}
            onChange={(event) => change({ files: event.currentTarget.checked || undefined })}
          />
          <SegmentedControl
            size="xs"
            aria-label="How far"
            value={String(depth)}
            onChange={(value) => change({ depth: Number(value) })}
            data={[
              { value: '1', label: 'One step' },
              { value: '3', label: 'Three' },
              { value: '10', label: 'Ten' },
            ]}
          />
        </Group>
      }
    >
      <Panel>
        <LineageGraph object={object} depth={depth} files={files} />
      </Panel>
      <EntriesAbout subject={object} title="Ledger" />
    </Page>
  )
}
