import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { getVersion } from '#modules/registry/contract.ts'
import { read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { count, counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { Endpoint } from '../contract.ts'
import styles from './endpoint.module.css'
import { planOf } from './release-view.ts'

/** How an endpoint answers: from what, with which limits, and what it does when it cannot. */
export function ServingDetails({ endpoint }: { endpoint: Endpoint }) {
  const { environment, spec, version, generation } = endpoint
  const { limits, fallback, featureService, targetingField, model, strategy } = spec
  return (
    <Panel>
      <Section
        title="How it serves"
        aside={
          <Anchor
            size="sm"
            renderRoot={(props) => (
              <Link {...props} to="/predictions" search={{ endpoint: `${environment}/${endpoint.endpoint}` }} />
            )}
          >
            Its predictions
          </Anchor>
        }
      >
        <Facts
          of={{
            Model: <SubjectLink kind="model" id={model} bare />,
            Features:
              featureService === null ? (
                'requests carry the model’s own tensors'
              ) : (
                <SubjectLink kind="feature-service" id={featureService} bare />
              ),
            'Serving plan': generation === null ? 'none yet' : `generation ${generation}`,
            'When the model fails or is late':
              fallback === null ? 'answers an error' : `answers ${fallback.value}, marked as a fallback`,
            'Answers within': `${count(limits.timeoutMs)} ms`,
            Queue: `up to ${counted(limits.queue, 'request')}, then 503`,
            'In one request': `up to ${counted(limits.rows, 'row')}`,
            'A caller stays on one variant by': targetingField ?? 'nothing: spread by request id',
          }}
        />
        <Text size="sm" fw={550} mt="md">
          How a release goes
        </Text>
        <ol style={{ margin: 0, paddingLeft: '1.2rem' }}>
          {planOf(strategy, version ?? 'what serves then').map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
        {version !== null && <FeaturesUsed version={version} />}
      </Section>
    </Panel>
  )
}

function FeaturesUsed({ version }: { version: string }) {
  const { data } = useQuery(read(getVersion, { version }, ['version']))
  if (data === undefined || data.features.length === 0) return null
  return (
    <>
      <Text size="sm" fw={550} mt="md">
        {counted(data.features.length, 'feature')} of {version}
      </Text>
      <ul className={styles.features}>
        {data.features.map((feature) => (
          <li key={feature}>{feature}</li>
        ))}
      </ul>
    </>
  )
}
