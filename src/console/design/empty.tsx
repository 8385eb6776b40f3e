import { Code, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { Panel } from './panel.ts'

/** Nothing here yet: what would be, and the command that makes it. */
export function Empty({ title, children, command }: { title: string; children?: ReactNode; command?: string }) {
  return (
    <Panel>
      <Title order={2} size="h5">
        {title}
      </Title>
      {children !== undefined && (
        <Text mt={4} c="dimmed">
          {children}
        </Text>
      )}
      {command !== undefined && (
        <Code block mt="sm">
          {command}
        </Code>
      )}
    </Panel>
  )
}
