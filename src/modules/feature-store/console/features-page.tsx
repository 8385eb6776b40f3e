import { Anchor, Code, Tabs, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { counted } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { PageTabs } from '../../../console/page-tabs.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import {
  type Entity,
  type FeatureService,
  type FeatureView,
  listEntities,
  listFeatureServices,
  listFeatureViews,
} from '../contract.ts'
import { Freshness } from './freshness.tsx'

const tabs = { views: 'Views', services: 'Services', entities: 'Entities' }

const nothing = (
  <Empty title="No features are declared yet" command="pave apply examples/flight-delays">
    A view aggregates the events of a dataset for each entity; a service is what a model takes, in its order. Training
    and serving read the same definition.
  </Empty>
)

/** Views, services and entities. */
export function FeaturesPage() {
  return (
    <Page title="Features">
      <PageTabs tabs={tabs}>
        <Panel>
          <Tabs.Panel value="views">
            <OperationTable
              label="Feature views"
              operation={listFeatureViews}
              input={(cursor) => ({ cursor })}
              about={['feature-view']}
              noun="view"
              columns={viewColumns}
              rowKey={({ view }) => view}
              empty={nothing}
            />
          </Tabs.Panel>
          <Tabs.Panel value="services">
            <OperationTable
              label="Feature services"
              operation={listFeatureServices}
              input={(cursor) => ({ cursor })}
              about={['feature-service']}
              noun="service"
              columns={serviceColumns}
              rowKey={({ featureService }) => featureService}
              empty={nothing}
            />
          </Tabs.Panel>
          <Tabs.Panel value="entities">
            <OperationTable
              label="Entities"
              operation={listEntities}
              input={(cursor) => ({ cursor })}
              about={['entity']}
              noun="entity"
              columns={entityColumns}
              rowKey={({ entity }) => entity}
              empty={nothing}
            />
          </Tabs.Panel>
        </Panel>
      </PageTabs>
    </Page>
  )
}

const viewColumns: readonly Column<FeatureView>[] = [
  {
    title: 'View',
    wrap: true,
    cell: ({ view, spec }) => (
      <>
        <Anchor
          inherit
          fw={600}
          renderRoot={(props) => <Link {...props} to="/features/views/$view" params={{ view }} />}
        >
          {view}
        </Anchor>
        <Text size="sm" c="dimmed" lineClamp={1}>
          {spec.description}
        </Text>
      </>
    ),
  },
  { title: 'Entity', cell: ({ spec }) => spec.entity },
  { title: 'Dataset', cell: ({ spec }) => <SubjectLink kind="dataset" id={spec.dataset} bare /> },
  { title: 'Features', wrap: true, cell: ({ spec }) => spec.aggregations.map(({ name }) => name).join(', ') },
  { title: 'Newest event', cell: ({ spec }) => <Freshness dataset={spec.dataset} /> },
]

const serviceColumns: readonly Column<FeatureService>[] = [
  {
    title: 'Service',
    wrap: true,
    cell: ({ featureService, spec }) => (
      <>
        <Anchor
          inherit
          fw={600}
          renderRoot={(props) => (
            <Link {...props} to="/features/services/$service" params={{ service: featureService }} />
          )}
        >
          {featureService}
        </Anchor>
        <Text size="sm" c="dimmed" lineClamp={1}>
          {spec.description}
        </Text>
      </>
    ),
  },
  { title: 'Features', cell: ({ features }) => counted(features.length, 'feature') },
  {
    title: 'Views',
    wrap: true,
    cell: ({ spec }) =>
      [...new Set(spec.features.map(({ view }) => view))].map((view) => (
        <span key={view}>
          <SubjectLink kind="feature-view" id={view} bare />{' '}
        </span>
      )),
  },
  { title: 'Declared', cell: ({ createdAt }) => <Instant at={createdAt} /> },
]

const entityColumns: readonly Column<Entity>[] = [
  { title: 'Entity', cell: ({ entity }) => <strong>{entity}</strong> },
  {
    title: 'Join keys',
    wrap: true,
    cell: ({ spec }) =>
      spec.joinKeys.map(({ name, type }) => (
        <span key={name}>
          <Code>{name}</Code> {type}{' '}
        </span>
      )),
  },
  { title: 'Description', wrap: true, cell: ({ spec }) => spec.description },
  { title: 'Declared', cell: ({ createdAt }) => <Instant at={createdAt} /> },
]
