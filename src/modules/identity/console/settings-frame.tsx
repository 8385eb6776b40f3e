import { Anchor, Group } from '@mantine/core'
import { Link, useLocation } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Page } from '../../../console/design/page.tsx'

const parts = [
  { title: 'People', to: '/settings' },
  { title: 'Tokens', to: '/settings/tokens' },
  { title: 'Webhooks', to: '/settings/webhooks' },
  { title: 'Workspace', to: '/settings/workspaces' },
] as const

/** What the pages of the settings have in common. */
export function SettingsFrame(props: { title: string; about: string; actions?: ReactNode; children: ReactNode }) {
  const path = useLocation({ select: (location) => location.pathname })
  return (
    <Page {...props} within={[{ title: 'Settings', link: { to: '/settings' } }]}>
      <Group component="nav" aria-label="Settings" gap="lg">
        {parts.map(({ title, to }) => (
          <Anchor
            key={to}
            fw={path === to ? 620 : 400}
            c={path === to ? 'inherit' : 'dimmed'}
            aria-current={path === to ? 'page' : undefined}
            renderRoot={(root) => <Link {...root} to={to} activeOptions={{ exact: true }} />}
          >
            {title}
          </Anchor>
        ))}
      </Group>
      {props.children}
    </Page>
  )
}
