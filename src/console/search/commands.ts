import type { useNavigate } from '@tanstack/react-router'
import { everyRoom } from '../rooms.ts'
import { signOut } from '../session.ts'

export interface Command {
  title: string
  /** What else people call it. */
  words?: string
  run(): void
}

/** What the palette can do besides leading to things. */
export function commandsOf(
  navigate: ReturnType<typeof useNavigate>,
  act: { switchColours: () => void; showShortcuts: () => void },
): readonly Command[] {
  return [
    ...everyRoom.map(({ title, to }) => ({ title: `Go to ${title}`, run: () => void navigate({ to }) })),
    {
      title: 'Approvals that wait for me',
      words: 'approve reject pending',
      run: () => void navigate({ to: '/approvals' }),
    },
    {
      title: 'Add a person or a service account',
      words: 'user principal invite',
      run: () => void navigate({ to: '/settings', search: { add: true } }),
    },
    {
      title: 'Make an API token',
      words: 'create key secret',
      run: () => void navigate({ to: '/settings/tokens', search: { make: true } }),
    },
    {
      title: 'Make a webhook',
      words: 'create notify alert slack pager',
      run: () => void navigate({ to: '/settings/webhooks', search: { make: true } }),
    },
    {
      title: 'What failed: jobs',
      words: 'dead letter',
      run: () => void navigate({ to: '/jobs', search: { state: 'failed' } }),
    },
    {
      title: 'What was refused: ledger',
      words: 'denied forbidden audit',
      run: () => void navigate({ to: '/ledger', search: { outcome: 'refused' } }),
    },
    { title: 'Switch colours', words: 'dark light theme mode', run: act.switchColours },
    { title: 'Keyboard shortcuts', words: 'help keys', run: act.showShortcuts },
    { title: 'Sign out', words: 'log off leave', run: () => void signOut() },
  ]
}

/** Those of which every word that was typed is a part. */
export function matching(commands: readonly Command[], text: string): readonly Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return commands.filter(({ title, words: more = '' }) => {
    const said = `${title} ${more}`.toLowerCase()
    return words.every((word) => said.includes(word))
  })
}
