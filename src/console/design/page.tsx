import { Anchor, Group, Stack, Text, Title } from '@mantine/core'
import { Link, type LinkProps } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef } from 'react'

interface PageProps {
  /** Of the tab of the browser; the heading too, unless `heading` says it better. */
  title: string
  heading?: ReactNode
  /** The rooms that this page is in, outermost first. */
  within?: readonly { title: string; link: Pick<LinkProps, 'to' | 'params' | 'search'> }[]
  /** A sentence under the title. */
  about?: ReactNode
  /** Buttons at the far end of the title's line. */
  actions?: ReactNode
  children: ReactNode
}

/** A page of the console: where one is, what it is, what can be done with it. */
export function Page({ title, heading, within = [], about, actions, children }: PageProps) {
  const name = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Pave`
  }, [title])
  // Who came from another page starts at this one's heading, and a screen reader says where that is.
  useEffect(() => {
    if (pagesShown > 0 && !isTyping()) name.current?.focus({ preventScroll: true })
    pagesShown += 1
  }, [])
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-end" gap="sm">
        <div style={{ minWidth: 0 }}>
          {within.length > 0 && (
            <Text component="nav" size="sm" aria-label="Breadcrumb" c="dimmed">
              {within.map(({ title: room, link }) => (
                <span key={JSON.stringify([room, link])}>
                  <Anchor renderRoot={(props) => <Link {...props} {...link} />} c="dimmed">
                    {room}
                  </Anchor>
                  {' / '}
                </span>
              ))}
            </Text>
          )}
          <Title order={1} size="h3" ref={name} tabIndex={-1} style={{ overflowWrap: 'anywhere', outline: 'none' }}>
            {heading ?? title}
          </Title>
          {about !== undefined && (
            <Text size="sm" c="dimmed" mt={2} style={{ overflowWrap: 'anywhere' }}>
              {about}
            </Text>
          )}
        </div>
        {actions !== undefined && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  )
}

let pagesShown = 0

const isTyping = () => document.activeElement?.matches('input, textarea, select, [role=dialog] *') === true
