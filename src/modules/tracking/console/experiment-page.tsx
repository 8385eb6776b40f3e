import { Badge, Group, Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { folderTrail } from '#modules/folders/console/folder-view.ts'
import { client, read } from '../../../console/api.ts'
import { Page } from '../../../console/design/page.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { PageTabs } from '../../../console/page-tabs.tsx'
import { getExperiment, updateExperiment } from '../contract.ts'
import { CompareRuns } from './compare-runs.tsx'
import { ExperimentRuns } from './experiment-runs.tsx'
import { Note, noteTag } from './note.tsx'
import { RetentionPanel } from './retention-panel.tsx'
import { ViewsButton } from './views-button.tsx'

const tabs = { runs: 'Runs', compare: 'Compare', retention: 'Retention' }

/** The runs of an experiment: what they were given, what they reached, and how they compare. */
export function ExperimentPage() {
  const { experiment } = getRouteApi('/signed-in/experiments/$experiment').useParams()
  const { data, error } = useQuery(read(getExperiment, { experiment }, ['experiment', 'folder']))
  const tags = Object.entries(data?.tags ?? {}).filter(([key]) => !/^(mlflow|pave\.view)\./.test(key))
  return (
    <Page
      title={data?.name ?? `Experiment ${experiment}`}
      within={folderTrail('/experiments', 'Experiments', data?.folder ?? '')}
      actions={data && <ViewsButton experiment={data} />}
    >
      {error !== null && <Problem error={error} />}
      {data !== undefined && (
        <Note
          text={data.tags[noteTag]}
          save={(text) => client.call(updateExperiment, { experiment, tags: { [noteTag]: text } })}
        />
      )}
      {tags.length > 0 && (
        <Group gap={6}>
          {tags.map(([key, value]) => (
            <Badge key={key} color="gray" title={value}>
              {key}: {value.slice(0, 60)}
            </Badge>
          ))}
        </Group>
      )}
      {error === null && (
        <PageTabs tabs={tabs}>
          <Tabs.Panel value="runs">
            <ExperimentRuns key={experiment} experiment={experiment} />
          </Tabs.Panel>
          <Tabs.Panel value="compare">
            <CompareRuns key={experiment} experiment={experiment} />
          </Tabs.Panel>
          <Tabs.Panel value="retention">
            <RetentionPanel key={experiment} experiment={experiment} />
          </Tabs.Panel>
        </PageTabs>
      )}
    </Page>
  )
}
