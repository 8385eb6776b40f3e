import { Group, Title } from '@mantine/core'
import { type ReactNode, useId } from 'react'

/** A titled part of a page or card; `aside` stands at the far end of the title's line. */
export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  const id = useId()
  return (
    <section aria-labelledby={id}>
      <Group justify="space-between" align="baseline" mb={8} gap="xs">
        <Title order={2} size="h5" id={id}>
          {title}
        </Title>
        {aside}
      </Group>
      {children}
    </section>
  )
}
