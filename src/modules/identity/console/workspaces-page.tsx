import { Anchor, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { whoami } from '../contract.ts'
import { scopeText, verbsText } from './roles-view.ts'
import { SettingsFrame } from './settings-frame.tsx'

/** The tenant that everything on these pages belongs to, and what the reader may do in it. */
export function WorkspacesPage() {
  const { data: me, error } = useQuery(read(whoami, {}, ['workspace']))
  return (
    <SettingsFrame
      title="Workspace"
      about="Everything belongs to one workspace, and nothing of another is visible here; a token or a session is of one."
    >
      {error !== null && <Problem error={error} />}
      {me === undefined && error === null && <Skeleton height={120} radius="lg" />}
      {me !== undefined && (
        <>
          <Panel>
            <Facts
              of={{
                Name: <strong>{me.workspace.name}</strong>,
                Id: <span style={{ overflowWrap: 'anywhere' }}>{me.workspace.id}</span>,
                People: (
                  <Anchor inherit renderRoot={(props) => <Link {...props} to="/settings" />}>
                    people and service accounts
                  </Anchor>
                ),
                Nodes: (
                  <Anchor inherit renderRoot={(props) => <Link {...props} to="/settings" search={{ kind: 'node' }} />}>
                    inference nodes
                  </Anchor>
                ),
              }}
            />
          </Panel>
          <Panel>
            <Section title="What you may do">
              {me.grants.length === 0 && <Text>You have no role here.</Text>}
              {me.grants.map(({ verbs, scope }) => (
                <Text
                  key={`${scopeText(scope)} ${verbs.join(' ')}`}
                  size="sm"
                  mb={4}
                  style={{ overflowWrap: 'anywhere' }}
                >
                  <strong>{scopeText(scope)}</strong>: {verbsText(verbs)}
                </Text>
              ))}
            </Section>
          </Panel>
        </>
      )}
    </SettingsFrame>
  )
}
