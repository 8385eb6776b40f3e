import { Anchor, Group, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { RollBackNamed } from '#modules/releases/console/roll-back-button.tsx'
import { Age } from '../../../console/design/age.tsx'
import { count, counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import type { Incident } from '../contract.ts'
import { severityTones, stateOf } from './incident-view.ts'
import styles from './incidents.module.css'
import { endpointOf, useOpenIncidents } from './use-open-incidents.ts'

const shown = 10

/** What needs somebody's attention now; nothing at all when no incident is open. */
export function OpenIncidents() {
  const { items, more, error } = useOpenIncidents()
  if (error && items.length === 0) return <Problem error={error} />
  if (items.length === 0) return null
  const urgent = [...items].sort((a, b) => rank(a) - rank(b))
  return (
    <Panel className={styles.open} data-unmitigated={items.some((incident) => incident.mitigatedAt === null)}>
      <Section
        title={`Open incidents: ${count(items.length)}${more ? ' and more' : ''}`}
        aside={
          items.length > shown && (
            <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/incidents" />}>
              All {counted(items.length, 'incident')}
            </Anchor>
          )
        }
      >
        <ul className={styles.list}>
          {urgent.slice(0, shown).map((incident) => (
            <IncidentItem key={incident.id} incident={incident} />
          ))}
        </ul>
      </Section>
    </Panel>
  )
}

/** The unmitigated first, of them the gravest, of them the newest. */
const rank = ({ mitigatedAt, severity, openedAt }: Incident): number =>
  (mitigatedAt === null ? 0 : 1e16) + { high: 0, medium: 1e15, low: 2e15 }[severity] - Date.parse(openedAt)

function IncidentItem({ incident }: { incident: Incident }) {
  const state = stateOf(incident)
  const endpoint = endpointOf(incident)
  return (
    <li>
      <div>
        <Group gap="0 0.7rem">
          <Anchor
            inherit
            fw={600}
            renderRoot={(props) => (
              <Link {...props} to="/incidents/$incident" params={{ incident: incident.incident }} />
            )}
          >
            {incident.incident}
          </Anchor>
          <State tone={severityTones[incident.severity]}>{incident.severity}</State>
          <State tone={state.tone}>{state.word}</State>
          <Text size="sm" c="dimmed">
            open for <Age at={incident.openedAt} suffix="" />
          </Text>
        </Group>
        <Text className={styles.title}>{incident.title}</Text>
      </div>
      {endpoint !== undefined && incident.mitigatedAt === null && (
        <RollBackNamed name={endpoint} reason={`${incident.incident}: ${incident.title}`} />
      )}
    </li>
  )
}
