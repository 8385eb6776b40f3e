import { Anchor, Code, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { client } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { bytes, shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { FollowedStep } from '../contract.ts'
import { CacheReason } from './cache-reason.tsx'
import { Lasted } from './pipelines-page.tsx'
import { stepTones } from './run-view.ts'
import { StepLog } from './step-log.tsx'

/** One step of a run: what it did with what, how it went, and what it printed. */
export function StepDetail({ run, step }: { run: string; step: FollowedStep }) {
  const { resources, usage } = step
  return (
    <Section title={`Step ${step.step}`} aside={<State tone={stepTones[step.state]}>{step.state}</State>}>
      <Stack gap="md">
        <Facts
          of={{
            Began: step.startedAt === null ? 'not yet' : <Instant at={step.startedAt} />,
            Took: <Lasted of={step} />,
            Attempt: step.attempt === 0 ? undefined : `${step.attempt} of ${step.retries + 1}`,
            'Exit code': step.exitCode ?? undefined,
            CPU:
              usage === null ? undefined : `${(usage.cpuMs / 1000).toFixed(2)} s${limitOf(resources.cpuSeconds, 's')}`,
            Memory: usage === null ? undefined : `${Math.round(usage.maxRssMb)} MiB of ${resources.memoryMb}`,
            Disk: step.kind === 'command' ? `up to ${resources.diskMb} MiB` : undefined,
            Timeout: step.timeout,
            Cache: <CacheReason cache={step.cache} />,
          }}
        />
        {step.reason !== '' && step.state !== 'done' && <Text size="sm">{step.reason}</Text>}
        <div>
          <Text size="xs" c="dimmed">
            {step.kind}
          </Text>
          <Code block tabIndex={0} aria-label={`The ${step.kind}`}>
            {step.does}
          </Code>
        </div>
        <Artifacts run={run} step={step} />
        {step.kind === 'command' ? (
          step.attempt > 0 &&
          step.cache?.hit !== true && (
            <StepLog
              run={run}
              step={step.step}
              attempt={step.attempt}
              running={step.state === 'running'}
              digest={step.logDigest}
            />
          )
        ) : (
          <Answer result={step.result} />
        )}
      </Stack>
    </Section>
  )
}

const limitOf = (limit: number | undefined, unit: string) => (limit === undefined ? '' : ` of ${limit} ${unit}`)

function Artifacts({ run, step }: { run: string; step: FollowedStep }) {
  const rows = [
    ...step.inputs.map((one) => ({ ...one, role: 'input' as const })),
    ...step.artifacts.map((one) => ({ ...one, role: 'output' as const, from: '' })),
  ]
  if (rows.length === 0) return null
  return (
    <DataTable
      label="Inputs and outputs"
      rows={rows}
      rowKey={({ role, name }) => `${role} ${name}`}
      columns={[
        { title: 'Artifact', cell: ({ name }) => <strong>{name}</strong> },
        { title: 'Role', cell: ({ role, from }) => (role === 'input' ? <From text={from} /> : 'output') },
        { title: 'Size', number: true, cell: ({ digest }) => (digest === null ? '–' : <ObjectSize digest={digest} />) },
        {
          title: 'Digest',
          cell: ({ digest }) => (digest === null ? '–' : <SubjectLink kind="object" id={digest} bare />),
        },
        {
          title: 'Bytes',
          cell: ({ digest, name, directory }) =>
            digest !== null && (
              <Anchor
                inherit
                href={`/api/v1/objects/${digest}`}
                download={`${step.step}-${name}-${shortened(run).slice(1)}${directory ? '.tar' : ''}`}
              >
                Download{directory && ' as tar'}
              </Anchor>
            ),
        },
      ]}
    />
  )
}

/** `steps.train.model`, `dataset:flights`. */
function From({ text }: { text: string }) {
  const [kind = '', id = ''] = text.split(':')
  return id === '' ? <>input, {text}</> : <SubjectLink kind={kind} id={id} />
}

function ObjectSize({ digest }: { digest: string }) {
  const { data } = useQuery({
    queryKey: ['size of an object', digest],
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    queryFn: async () => {
      const { headers } = await client.raw('HEAD', `/api/v1/objects/${digest}`)
      return Number(headers.get('content-length') ?? Number.NaN)
    },
  })
  return data === undefined || Number.isNaN(data) ? '–' : bytes(data)
}

function Answer({ result }: { result: unknown }) {
  if (result === null || result === undefined) return null
  return (
    <div>
      <Text size="xs" c="dimmed">
        What it answered
      </Text>
      <Code block tabIndex={0} aria-label="What it answered" mah={320} style={{ overflow: 'auto' }}>
        {JSON.stringify(result, null, 2)}
      </Code>
    </div>
  )
}
