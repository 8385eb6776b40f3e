import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Panel } from '../design/panel.ts'
import { Section } from '../design/section.tsx'
import { LineageGraph } from './lineage-graph.tsx'

/** The lineage of a thing as a part of its own page. */
export function LineageAround({ kind, id }: { kind: string; id: string }) {
  const object = `${kind}:${id}`
  return (
    <Panel>
      <Section
        title="Lineage"
        aside={
          <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/lineage/$object" params={{ object }} />}>
            More of it
          </Anchor>
        }
      >
        <LineageGraph object={object} />
      </Section>
    </Panel>
  )
}
