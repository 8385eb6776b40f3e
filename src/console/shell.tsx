import {
  ActionIcon,
  AppShell,
  Badge,
  Burger,
  Button,
  Group,
  Kbd,
  NavLink,
  Text,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { useSuspenseQuery } from '@tanstack/react-query'
import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { lazy, Suspense, useCallback, useEffect, useState } from 'react'
import { whoami } from '../modules/identity/contract.ts'
import { read } from './api.ts'
import { useApprovalsWaiting } from './approvals/use-approvals-waiting.ts'
import { loadDialogs } from './design/dialog.tsx'
import { Logo } from './design/logo.tsx'
import { useLiveEvents } from './live-events.ts'
import { isWithin, rooms } from './rooms.ts'
import { signOut } from './session.ts'
import { rememberReader } from './session-ended.ts'
import styles from './shell.module.css'
import { ShortcutsHelp } from './shortcuts-help.tsx'
import { SignInAgain } from './sign-in-again.tsx'
import { UnreachableBanner } from './unreachable-banner.tsx'
import { useShortcuts } from './use-shortcuts.ts'

/** What surrounds every page of somebody who has signed in. */
export function Shell() {
  const { data: me } = useSuspenseQuery(read(whoami, {}, ['workspace']))
  const connected = useLiveEvents()
  const [searching, setSearching] = useState<boolean>()
  const [helping, setHelping] = useState(false)
  const colours = useColours()
  const search = useCallback(() => setSearching(true), [])
  const help = useCallback(() => setHelping(true), [])
  useShortcuts({ search, help })
  useIdleLoad()
  const waiting = useApprovalsWaiting()
  const path = useLocation({ select: (location) => location.pathname })
  // A menu that covers the page is open for the page that it was opened on.
  const [openedOn, setOpenedOn] = useState<string>()
  const opened = openedOn === path
  useEffect(() => rememberReader({ id: me.id, name: me.name }), [me])
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
        <Burger
          opened={opened}
          onClick={() => setOpenedOn(opened ? undefined : path)}
          hiddenFrom="sm"
          size="sm"
          aria-label="Rooms"
        />
        <Link to="/" className={styles.home}>
          <Logo />
          Pave
        </Link>
        <Text c="dimmed" truncate visibleFrom="xs">
          {me.workspace.name}
        </Text>
        <Group gap="sm" wrap="nowrap" ml="auto">
          <UnstyledButton className={styles.search} onClick={search} title="Search and commands">
            <SearchIcon />
            <span className={styles.searchText}>Search</span>
            <Kbd size="xs" visibleFrom="md">
              Ctrl K
            </Kbd>
          </UnstyledButton>
          <Text
            size="sm"
            c="dimmed"
            className={styles.live}
            data-connected={connected}
            role="status"
            aria-label={connected ? 'Live' : 'Reconnecting'}
            title={connected ? 'What changes is shown as it happens' : 'Trying to hear of changes again'}
          >
            <span className={styles.liveText}>{connected ? 'Live' : 'Reconnecting'}</span>
          </Text>
          <ActionIcon
            variant="default"
            size={30}
            aria-label={colours.label}
            title={colours.label}
            onClick={colours.toggle}
          >
            <ColoursIcon />
          </ActionIcon>
          <Text size="sm" visibleFrom="sm" truncate maw={160} title={me.name}>
            {me.name}
          </Text>
          <Button variant="default" size="xs" onClick={() => void signOut()}>
            Sign out
          </Button>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={styles.rooms} data-opened={opened}>
        <nav aria-label="Rooms" className={styles.list}>
          {rooms.map((group) => (
            <div key={group.title} className={styles.group}>
              <Text size="xs" c="dimmed" className={styles.groupTitle}>
                {group.title}
              </Text>
              {group.rooms.map((room) => (
                <NavLink
                  key={room.title}
                  label={room.title}
                  active={isWithin(path, room.to)}
                  {...(room.to === '/approvals' && waiting > 0 && { rightSection: <Waiting count={waiting} /> })}
                  renderRoot={(props) => <Link {...props} to={room.to} />}
                />
              ))}
            </div>
          ))}
        </nav>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <UnreachableBanner />
        <div className={styles.content}>
          <Outlet />
        </div>
      </AppShell.Main>
      <SignInAgain />
      <ShortcutsHelp opened={helping} close={() => setHelping(false)} />
      {searching !== undefined && (
        <Suspense>
          <Palette
            opened={searching}
            close={() => setSearching(false)}
            switchColours={colours.toggle}
            showShortcuts={help}
          />
        </Suspense>
      )}
    </AppShell>
  )
}

const loadPalette = () => import('./search/palette.tsx').then((module) => ({ default: module.Palette }))
const Palette = lazy(loadPalette)

/** What lies over pages is fetched once the first one is shown: it must be there also when Pave is not. */
function useIdleLoad(): void {
  useEffect(() => {
    const timer = window.setTimeout(() => void Promise.all([loadPalette(), loadDialogs()]).catch(() => {}), 2_000)
    return () => window.clearTimeout(timer)
  }, [])
}

function Waiting({ count }: { count: number }) {
  return (
    <Badge size="sm" circle={count < 10} color="orange" aria-label={`${count} wait for you`}>
      {count}
    </Badge>
  )
}

/** Follows the system until somebody chooses. */
function useColours(): { label: string; toggle: () => void } {
  const { setColorScheme } = useMantineColorScheme()
  const other = useComputedColorScheme('light') === 'light' ? 'dark' : 'light'
  return { label: `Switch to ${other} colours`, toggle: () => setColorScheme(other) }
}

function ColoursIcon() {
  return (
    <svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true">
      <circle cx="12" cy="12" r="9" fill="none" stroke="currentColor" strokeWidth="2" />
      <path d="M12 3a9 9 0 0 1 0 18z" fill="currentColor" />
    </svg>
  )
}

function SearchIcon() {
  return (
    <svg
      viewBox="0 0 24 24"
      width="15"
      height="15"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
    >
      <circle cx="11" cy="11" r="7" />
      <path d="m16.5 16.5 5 5" strokeLinecap="round" />
    </svg>
  )
}
