import {
  ActionIcon,
  Button,
  Container,
  Group,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { useSuspenseQuery } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import { whoami } from '../modules/identity/contract.ts'
import { read } from './api.ts'
import { Logo } from './design/logo.tsx'
import { useLiveEvents } from './live-events.ts'
import { signOut } from './session.ts'
import styles from './shell.module.css'

/** What surrounds every page of somebody who has signed in. */
export function Shell() {
  const { data: me } = useSuspenseQuery(read(whoami, {}, ['workspace']))
  const connected = useLiveEvents()
  return (
    <>
      <header className={styles.header}>
        <Container size="xl" className={styles.bar}>
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
        </Container>
      </header>
      <Container size="xl" component="main" py="lg">
        <Outlet />
      </Container>
    </>
  )
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
