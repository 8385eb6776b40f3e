import { Switch, Text } from '@mantine/core'
import { z } from 'zod'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import type { TrackingRun } from '../contract.ts'
import { ComparisonTable, RunLegend } from './compare-values.tsx'
import { comparedOrigins, comparedPackages } from './environment-view.ts'
import { useEnvironments } from './use-environments.ts'

const PageState = z.object({ same: z.boolean().optional().catch(undefined) })

/** The files of each run's environment are read, so only of a few. */
const mostRead = 10

/** The code that runs were made by, and the packages that their models need. */
export function CompareOrigin({ runs: all }: { runs: readonly TrackingRun[] }) {
  const [{ same = false }, change] = usePageState(PageState)
  const runs = all.slice(0, mostRead)
  const { environments } = useEnvironments(runs)
  const reading = environments.some((one) => one === undefined)
  const packages = comparedPackages(environments.map((one) => one?.text))
  const origins = comparedOrigins(runs)
  return (
    <Panel>
      <Section
        title="Code"
        aside={
          <Switch
            label="Also what is the same"
            checked={same}
            onChange={(event) => change({ same: event.currentTarget.checked || undefined })}
          />
        }
      >
        <RunLegend runs={runs} />
        {origins.length === 0 ? (
          <Text size="sm" c="dimmed">
            None of them says: the mlflow client records the commit when it is started within a Git repository.
          </Text>
        ) : (
          <ComparisonTable label="Code of the runs" runs={runs} values={origins} same={same} />
        )}
      </Section>
      <Section title="Environment">
        {packages.length === 0 ? (
          <Text size="sm" c="dimmed">
            {reading ? 'Reading …' : 'None of them logged a model or a requirements.txt.'}
          </Text>
        ) : (
          <ComparisonTable label="Packages of the runs" runs={runs} values={packages} same={same} />
        )}
        {all.length > mostRead && (
          <Text size="sm" c="dimmed" mt="xs">
            Of the first {mostRead} of {all.length} runs.
          </Text>
        )}
      </Section>
    </Panel>
  )
}
