import {
  ActionIcon,
  AppShell,
  Burger,
  Button,
  Group,
  NavLink,
  ScrollArea,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useSuspenseQuery } from '@tanstack/react-query'
import { Link, type LinkProps, Outlet, useLocation } from '@tanstack/react-router'
import { useEffect } from 'react'
import { whoami } from '../modules/identity/contract.ts'
import { read } from './api.ts'
import { Logo } from './design/logo.tsx'
import { useLiveEvents } from './live-events.ts'
import { signOut } from './session.ts'
import styles from './shell.module.css'

/** The rooms, in the order of the lifecycle. */
const rooms: readonly { title: string; rooms: readonly { title: string; to: LinkProps['to'] }[] }[] = [
  {
    title: 'Operate',
    rooms: [
      { title: 'Overview', to: '/' },
      { title: 'Endpoints', to: '/endpoints' },
      { title: 'Predictions', to: '/predictions' },
      { title: 'Monitors', to: '/monitors' },
      { title: 'Incidents', to: '/incidents' },
    ],
  },
  {
    title: 'Build',
    rooms: [
      { title: 'Datasets', to: '/datasets' },
      { title: 'Features', to: '/features' },
      { title: 'Experiments', to: '/experiments' },
      { title: 'Pipelines', to: '/pipelines' },
      { title: 'Models', to: '/models' },
    ],
  },
  {
    title: 'Govern',
    rooms: [
      { title: 'Approvals', to: '/approvals' },
      { title: 'Policies', to: '/policies' },
      { title: 'Ledger', to: '/ledger' },
      { title: 'Jobs', to: '/jobs' },
      { title: 'Settings', to: '/settings' },
    ],
  },
]

/** What surrounds every page of somebody who has signed in. */
export function Shell() {
  const { data: me } = useSuspenseQuery(read(whoami, {}, ['workspace']))
  const connected = useLiveEvents()
  const [opened, menu] = useDisclosure()
  const path = useLocation({ select: (location) => location.pathname })
  // biome-ignore lint/correctness/useExhaustiveDependencies: a menu that covers the page closes when the page changes
  useEffect(menu.close, [path])
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <a href="#content" className={styles.skip}>
        Skip to the content
      </a>
      <AppShell.Header className={styles.bar}>
        <Burger opened={opened} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label="Rooms" />
        <Link to="/" className={styles.home}>
          <Logo />
          Pave
        </Link>
        <Text c="dimmed" truncate>
          {me.workspace.name}
        </Text>
        <Group gap="sm" wrap="nowrap" ml="auto">
          <Text size="sm" c="dimmed" className={styles.live} data-connected={connected} role="status">
            {connected ? 'Live' : 'Reconnecting'}
          </Text>
          <ColorSchemeSwitch />
          <Text size="sm" visibleFrom="xs">
            {me.name}
          </Text>
          <Button variant="default" size="xs" onClick={() => void signOut()}>
            Sign out
          </Button>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={styles.rooms}>
        <ScrollArea component="nav" aria-label="Rooms" type="scroll">
          {rooms.map((group) => (
            <div key={group.title} className={styles.group}>
              <Text size="xs" c="dimmed" className={styles.groupTitle}>
                {group.title}
              </Text>
              {group.rooms.map((room) => (
                <NavLink
                  key={room.title}
                  label={room.title}
                  active={isWithin(path, String(room.to))}
                  renderRoot={(props) => <Link {...props} to={room.to} />}
                />
              ))}
            </div>
          ))}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <div className={styles.content}>
          <Outlet />
        </div>
      </AppShell.Main>
    </AppShell>
  )
}

function isWithin(path: string, room: string): boolean {
  return room === '/' ? path === '/' : path === room || path.startsWith(`${room}/`)
}

/** Follows the system until somebody chooses. */
function ColorSchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme()
  const other = useComputedColorScheme('light') === 'light' ? 'dark' : 'light'
  const label = `Switch to ${other} colours`
  return (
    <ActionIcon variant="default" size={30} aria-label={label} title={label} onClick={() => setColorScheme(other)}>
      <svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
        <circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" strokeWidth="2" />
        <path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor" />
      </svg>
    </ActionIcon>
  )
}
