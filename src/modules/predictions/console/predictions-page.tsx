import { Button, Group, Select, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { z } from 'zod'
import { TrafficCharts } from '#modules/releases/console/traffic-charts.tsx'
import { type Endpoint, listEndpoints } from '#modules/releases/contract.ts'
import { read } from '../../../console/api.ts'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { milliseconds, score } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { type ListedPrediction, listPredictions, PredictionRecord, Variant } from '../contract.ts'
import { PredictionLink } from './prediction-link.tsx'
import { instantOf, requestFilterOf } from './prediction-view.ts'

const text = z.coerce.string().optional().catch(undefined)
const Status = PredictionRecord.shape.status
const PageState = z.object({
  /** `environment/endpoint`. */
  endpoint: text,
  id: text,
  request: text,
  from: text,
  to: text,
  version: text,
  variant: Variant.optional().catch(undefined),
  status: Status.optional().catch(undefined),
  labelled: z.enum(['yes', 'no']).optional().catch(undefined),
  every: z.enum(['hour', 'day']).catch('day'),
})
type Filter = z.infer<typeof PageState>

/** What was asked and answered: by request, by the entity it was about, by time. */
export function PredictionsPage() {
  const [filter, change] = usePageState(PageState)
  const { data, error } = useQuery(read(listEndpoints, { limit: 200 }, ['endpoint']))
  const names = data?.items.map(nameOf) ?? []
  const chosen = data?.items.find((one) => nameOf(one) === filter.endpoint) ?? data?.items[0]
  return (
    <Page
      title="Predictions"
      actions={
        names.length > 0 && (
          <Select
            aria-label="Endpoint"
            data={names}
            value={chosen === undefined ? null : nameOf(chosen)}
            allowDeselect={false}
            searchable
            w={260}
            onChange={(name) => change({ endpoint: name ?? undefined })}
          />
        )
      }
    >
      {error !== null && <Problem error={error} />}
      {data !== undefined && chosen === undefined && (
        <Empty title="Nothing is served yet" command="pave apply examples/flight-delays">
          Predictions are recorded by the nodes that answer for an endpoint.
        </Empty>
      )}
      {chosen !== undefined && <Found key={nameOf(chosen)} of={chosen} filter={filter} change={change} />}
    </Page>
  )
}

const nameOf = ({ environment, endpoint }: Endpoint): string => `${environment}/${endpoint}`

interface FoundProps {
  of: Endpoint
  filter: Filter
  change: (fields: Partial<Filter>) => void
}

function Found({ of, filter, change }: FoundProps) {
  const { environment, endpoint } = of
  const { id, variant, status, version, labelled } = filter
  const request = filter.request === undefined ? undefined : requestFilterOf(filter.request)
  const [from, to] = [instantOf(filter.from ?? ''), instantOf(filter.to ?? '')]
  const asked = {
    environment,
    endpoint,
    ...(id !== undefined && { id }),
    ...(request !== undefined && { request }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(version !== undefined && { version }),
    ...(variant !== undefined && { variant }),
    ...(status !== undefined && { status }),
    ...(labelled !== undefined && { labelled: labelled === 'yes' }),
  }
  const filtered = Object.keys(asked).length > 2
  return (
    <>
      <Filters filter={filter} change={change} />
      <Panel>
        <OperationTable
          label="Predictions"
          operation={listPredictions}
          input={(cursor) => ({ ...asked, cursor })}
          about={[]}
          noun="row"
          columns={columnsOf(environment, endpoint)}
          rowKey={(row) => `${row.id} ${row.row} ${row.variant} ${row.version}`}
          empty={
            filtered ? (
              <Text c="dimmed">No prediction matches.</Text>
            ) : (
              <Empty
                title="Nobody has asked it yet"
                command={`curl http://127.0.0.1:7401/v2/models/${endpoint}/infer …`}
              >
                The tutorial has a whole request. A record arrives a few seconds after its answer.
              </Empty>
            )
          }
        />
      </Panel>
      {!filtered && <TrafficCharts endpoint={of} every={filter.every} onEvery={(every) => change({ every })} />}
    </>
  )
}

/** What is typed is searched for when it is sent, so that half a time or half an id finds nothing by accident. */
function Filters({ filter, change }: Pick<FoundProps, 'filter' | 'change'>) {
  const given = { id: filter.id ?? '', request: filter.request ?? '', from: filter.from ?? '', to: filter.to ?? '' }
  const [typed, setTyped] = useState(given)
  const wrong = {
    request: typed.request !== '' && requestFilterOf(typed.request) === undefined,
    from: typed.from !== '' && instantOf(typed.from) === undefined,
    to: typed.to !== '' && instantOf(typed.to) === undefined,
  }
  const field = (name: keyof typeof given, label: string, placeholder: string, width: number) => (
    <TextInput
      label={label}
      placeholder={placeholder}
      w={{ base: '100%', xs: width }}
      value={typed[name]}
      error={
        name !== 'id' && wrong[name]
          ? name === 'request'
            ? 'Write field=value'
            : 'Write 2026-01-31 or with a time'
          : null
      }
      onChange={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })}
    />
  )
  return (
    <Group
      component="form"
      align="flex-start"
      gap="sm"
      onSubmit={(event) => {
        event.preventDefault()
        if (Object.values(wrong).some(Boolean)) return
        change({
          id: typed.id.trim() || undefined,
          request: typed.request.trim() || undefined,
          from: typed.from || undefined,
          to: typed.to || undefined,
        })
      }}
    >
      {field('id', 'Request id', 'flight-1872080', 190)}
      {field('request', 'Request fields', 'origin=ORD destination=LGA', 260)}
      {field('from', 'From (UTC)', '2001-05-01', 170)}
      {field('to', 'Before (UTC)', '2001-05-02 12:00', 170)}
      <Select
        label="Variant"
        placeholder="Any"
        clearable
        w={130}
        data={Variant.options}
        value={filter.variant ?? null}
        onChange={(value) => change({ variant: Variant.safeParse(value).data })}
      />
      <Select
        label="Status"
        placeholder="Any"
        clearable
        w={130}
        data={Status.options}
        value={filter.status ?? null}
        onChange={(value) => change({ status: Status.safeParse(value).data })}
      />
      <Select
        label="Label"
        placeholder="Any"
        clearable
        w={130}
        data={[
          { value: 'yes', label: 'Known' },
          { value: 'no', label: 'Not yet' },
        ]}
        value={filter.labelled ?? null}
        onChange={(value) => change({ labelled: value === 'yes' || value === 'no' ? value : undefined })}
      />
      <Button type="submit" mt={25}>
        Search
      </Button>
    </Group>
  )
}

function columnsOf(environment: string, endpoint: string): Column<ListedPrediction>[] {
  return [
    {
      title: 'Request',
      wrap: true,
      cell: ({ id, row }) => <PredictionLink environment={environment} endpoint={endpoint} id={id} row={row} />,
    },
    { title: 'Event time', cell: ({ at }) => <Instant at={at} /> },
    { title: 'Prediction', number: true, cell: ({ prediction }) => (prediction === null ? '' : score(prediction)) },
    {
      title: 'Label',
      number: true,
      cell: ({ label }) => (label === null ? '' : <span title={`known at ${label.at}`}>{label.value}</span>),
    },
    { title: 'Version', cell: ({ version }) => <SubjectLink kind="version" id={version} bare /> },
    { title: 'Variant', cell: ({ variant }) => variant },
    {
      title: 'Status',
      cell: ({ status, errorCode }) => (
        <State tone={status === 'ok' ? 'good' : status === 'fallback' ? 'warn' : 'bad'}>{errorCode ?? status}</State>
      ),
    },
    { title: 'Latency', number: true, cell: ({ latencyUs }) => milliseconds(latencyUs / 1000) },
  ]
}
