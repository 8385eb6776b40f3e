import { Code, Select, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { z } from 'zod'
import { read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { bytes } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Section } from '../../../console/design/section.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { getPipeline, type PlannedStep, RunState } from '../contract.ts'
import { RunTable } from './run-table.tsx'
import { StartRunButton } from './start-run-form.tsx'
import { StepGraph } from './step-graph.tsx'

const PageState = z.object({
  state: RunState.optional().catch(undefined),
  step: z.string().optional().catch(undefined),
})

/** A pipeline: its steps, and its runs. */
export function PipelinePage() {
  const { pipeline } = getRouteApi('/signed-in/pipelines/$pipeline').useParams()
  const { data, error } = useQuery(read(getPipeline, { pipeline }, ['pipeline']))
  const [{ state, step }, change] = usePageState(PageState)
  const chosen = data?.plan.find((one) => one.step === step)
  return (
    <Page
      title={pipeline}
      within={[{ title: 'Pipelines', link: { to: '/pipelines' } }]}
      about={data?.spec.description || undefined}
      actions={
        data !== undefined && (
          <StartRunButton
            pipeline={pipeline}
            params={data.spec.params}
            label="Run"
            about="Steps whose code, params and inputs are those of an earlier run take its outputs."
          />
        )
      }
    >
      <Pending data={data} error={error} />
      {data !== undefined && (
        <Stack>
          <Facts
            of={{
              Declared: <Instant at={data.updatedAt} />,
              Identity: <span title={data.digest}>{data.digest.slice(7, 19)}…</span>,
              Code:
                data.spec.code === undefined
                  ? undefined
                  : `${data.spec.code.name ?? 'bundle'}, ${bytes(data.spec.code.size)}`,
              'Commands at once': data.spec.parallelism,
            }}
          />
          <Panel>
            <Section title="Steps">
              <StepGraph
                steps={data.plan}
                selected={step}
                onSelect={(name) => change({ step: name === step ? undefined : name })}
              />
              {chosen !== undefined && <PlannedFacts step={chosen} />}
            </Section>
          </Panel>
          <Panel>
            <Section
              title="Runs"
              aside={
                <Select
                  aria-label="State of the runs"
                  placeholder="Any state"
                  size="xs"
                  w={130}
                  clearable
                  data={RunState.options}
                  value={state ?? null}
                  onChange={(value) =>
                    change({
                      state: RunState.optional()
                        .catch(undefined)
                        .parse(value ?? undefined),
                    })
                  }
                />
              }
            >
              <RunTable pipeline={pipeline} state={state} />
            </Section>
          </Panel>
          {Object.keys(data.spec.params).length > 0 && (
            <Panel>
              <Section title="Params">
                <DataTable
                  label="Params"
                  rows={Object.entries(data.spec.params)}
                  rowKey={([name]) => name}
                  columns={[
                    { title: 'Name', cell: ([name]) => name },
                    { title: 'Type', cell: ([, param]) => param.type },
                    {
                      title: 'Default',
                      cell: ([, param]) =>
                        param.default === undefined ? 'none: it must be given' : String(param.default),
                    },
                    { title: 'What for', wrap: true, cell: ([, param]) => param.description ?? '–' },
                  ]}
                />
              </Section>
            </Panel>
          )}
        </Stack>
      )}
    </Page>
  )
}

function PlannedFacts({ step }: { step: PlannedStep }) {
  return (
    <Stack gap={4} mt="sm">
      <Text size="sm" fw={600}>
        {step.step}, a{step.kind === 'operation' ? 'n' : ''} {step.kind}
        {step.needs.length > 0 && ` after ${step.needs.join(', ')}`}
      </Text>
      <Code block>{step.does}</Code>
    </Stack>
  )
}
