import { Anchor, Badge, Button, Checkbox, Group, Skeleton, Stack, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { z } from 'zod'
import { folderTrail } from '#modules/folders/console/folder-view.ts'
import { listGateStates } from '#modules/governance/contract.ts'
import { client, read } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { counted } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Pending } from '../../../console/design/pending.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { getModel, listVersions, type Version } from '../contract.ts'
import { AliasTable } from './alias-table.tsx'
import { MeasuredText } from './interval-text.tsx'
import { measuredOf, metricNames } from './metric-view.ts'
import { servedVersions } from './served-list.tsx'
import { ServingTable } from './serving-table.tsx'

const PageState = z.object({ compare: z.string().max(200).optional().catch(undefined) })
const mostCompared = 6

/** A model: what it is for, where it serves, and every version that it has. */
export function ModelPage() {
  const { model } = getRouteApi('/signed-in/models/$model').useParams()
  const { data, error } = useQuery(read(getModel, { model }, ['model', 'folder']))
  return (
    <Page
      title={model}
      within={folderTrail('/models', 'Models', data?.folder ?? '')}
      about={data?.spec.description || undefined}
    >
      <Pending data={data} error={error} height={90} />
      {data !== undefined && (
        <Facts
          of={{
            Owner: data.spec.owner,
            'Risk tier': `${data.spec.tier}${data.spec.tier === 1 ? ', the gravest' : ''}`,
            Task: data.spec.task.replaceAll('-', ' '),
            Prediction: data.spec.prediction || undefined,
            Tags: Object.keys(data.spec.tags).length === 0 ? undefined : <Tags tags={data.spec.tags} />,
            Declared: <Instant at={data.createdAt} />,
            'Last change': (
              <Anchor
                inherit
                renderRoot={(props) => <Link {...props} to="/ledger" search={{ subject: `model:${model}` }} />}
              >
                <Age at={data.changedAt} />
              </Anchor>
            ),
          }}
        />
      )}
      {data !== undefined && (
        <>
          <Versions model={model} />
          <ServingTable model={model} />
        </>
      )}
    </Page>
  )
}

function Tags({ tags }: { tags: Readonly<Record<string, string>> }) {
  return (
    <Group gap={6}>
      {Object.entries(tags).map(([name, value]) => (
        <Badge key={name} color="gray">
          {name}: {value}
        </Badge>
      ))}
    </Group>
  )
}

function Versions({ model }: { model: string }) {
  const [{ compare = '' }, change] = usePageState(PageState)
  const list = useInfiniteQuery({
    queryKey: [listVersions.name, 'pages', model],
    queryFn: ({ signal, pageParam }) => client.call(listVersions, { model, limit: 25, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    meta: { about: ['version', 'model'] },
  })
  const gates = useInfiniteQuery({
    queryKey: [listGateStates.name, 'pages', model],
    queryFn: ({ signal, pageParam }) =>
      client.call(listGateStates, { model, limit: 25, cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    meta: { about: ['version', 'model', 'policy'] },
  })
  const served = useQuery(servedVersions(model))
  if (list.error !== null && list.data === undefined) return <Problem error={list.error} />
  if (list.data === undefined) return <Skeleton height={200} radius="lg" />
  const versions = list.data.pages.flatMap((page) => page.items)
  if (versions.length === 0) {
    return (
      <Empty title="No version is registered yet" command={`pave register-version --model ${model} --help`}>
        A pipeline registers versions with a step of the operation register-version; so does the mlflow client.
      </Empty>
    )
  }
  const states = new Map((gates.data?.pages ?? []).flatMap((page) => page.items).map((one) => [one.version, one]))
  const chosen = compare === '' ? [] : compare.split(',')
  const choose = (version: string, on: boolean) => {
    const next = on ? [...chosen, version] : chosen.filter((one) => one !== version)
    change({ compare: next.length === 0 ? undefined : next.sort((a, b) => Number(a) - Number(b)).join(',') })
  }
  const columns: Column<Version>[] = [
    {
      title: 'Compare',
      cell: ({ version }) => (
        <Checkbox
          size="xs"
          aria-label={`Compare version ${version}`}
          checked={chosen.includes(String(version))}
          disabled={!chosen.includes(String(version)) && chosen.length >= mostCompared}
          onChange={(event) => choose(String(version), event.currentTarget.checked)}
        />
      ),
    },
    {
      title: 'Version',
      cell: ({ version, ref, digest, aliases }) => (
        <>
          <Anchor
            inherit
            fw={600}
            title={digest}
            renderRoot={(props) => (
              <Link {...props} to="/models/$model/versions/$version" params={{ model, version: String(version) }} />
            )}
          >
            {ref}
          </Anchor>{' '}
          {aliases.map((alias) => (
            <Badge key={alias} color="indigo">
              {alias}
            </Badge>
          ))}
        </>
      ),
    },
    {
      title: 'Gates',
      cell: ({ ref, version }) => {
        const state = states.get(ref)
        if (state === undefined) return '–'
        return (
          <Anchor
            inherit
            underline="never"
            renderRoot={(props) => (
              <Link
                {...props}
                to="/models/$model/versions/$version"
                params={{ model, version: String(version) }}
                search={{ tab: 'gates' }}
              />
            )}
          >
            {state.rules === 0 ? (
              <State tone="idle">none apply</State>
            ) : state.passed ? (
              <State tone="good">passes {state.rules}</State>
            ) : (
              <State tone="bad">
                fails {state.failed.length} of {state.rules}
              </State>
            )}
          </Anchor>
        )
      },
    },
    {
      title: 'Serves',
      cell: ({ ref }) => {
        const places = served.data?.filter((one) => one.version === ref) ?? []
        return places.length === 0 ? (
          <Text span c="dimmed">
            –
          </Text>
        ) : (
          places.map((one) => `${one.environment}/${one.endpoint}`).join(', ')
        )
      },
    },
    ...metricNames(versions)
      .slice(0, 3)
      .map(
        (name): Column<Version> => ({
          title: name,
          number: true,
          cell: ({ metrics }) => <MeasuredText measured={measuredOf(metrics).find((one) => one.name === name)} />,
        }),
      ),
    { title: 'Registered', cell: ({ registeredAt }) => <Instant at={registeredAt} /> },
  ]
  return (
    <>
      <Panel>
        <Section
          title="Versions"
          aside={
            chosen.length < 2 ? (
              <Text size="sm" c="dimmed">
                Tick two or more to compare them
              </Text>
            ) : (
              <Button
                size="xs"
                renderRoot={(props) => (
                  <Link
                    {...props}
                    to="/models/$model/compare"
                    params={{ model }}
                    search={{ versions: chosen.join(',') }}
                  />
                )}
              >
                Compare {chosen.length} versions
              </Button>
            )
          }
        >
          <Stack gap="xs">
            <DataTable label={`Versions of ${model}`} columns={columns} rows={versions} rowKey={(row) => row.ref} />
            <Group justify="space-between">
              <Text size="sm" c="dimmed" role="status">
                {counted(versions.length, 'version')}
                {list.hasNextPage && ', and more'}. Small numbers are 95 % confidence intervals, where one is known.
              </Text>
              {list.hasNextPage && (
                <Button
                  variant="default"
                  size="xs"
                  loading={list.isFetchingNextPage}
                  onClick={() => {
                    void list.fetchNextPage()
                    void gates.fetchNextPage()
                  }}
                >
                  Show more
                </Button>
              )}
            </Group>
          </Stack>
        </Section>
      </Panel>
      <AliasTable model={model} versions={versions} complete={!list.hasNextPage} />
    </>
  )
}
