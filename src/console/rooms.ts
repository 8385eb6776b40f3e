import type { LinkProps } from '@tanstack/react-router'

export interface Room {
  title: string
  to: NonNullable<LinkProps['to']>
  /** After `g` it leads there. */
  key: string
}

/** The rooms, in the order of the lifecycle. */
export const rooms: readonly { title: string; rooms: readonly Room[] }[] = [
  {
    title: 'Operate',
    rooms: [
      { title: 'Overview', to: '/', key: 'o' },
      { title: 'Endpoints', to: '/endpoints', key: 'e' },
      { title: 'Predictions', to: '/predictions', key: 'p' },
      { title: 'Monitors', to: '/monitors', key: 'n' },
      { title: 'Incidents', to: '/incidents', key: 'i' },
    ],
  },
  {
    title: 'Build',
    rooms: [
      { title: 'Datasets', to: '/datasets', key: 'd' },
      { title: 'Features', to: '/features', key: 'f' },
      { title: 'Experiments', to: '/experiments', key: 'x' },
      { title: 'Traces', to: '/traces', key: 't' },
      { title: 'Pipelines', to: '/pipelines', key: 'r' },
      { title: 'Models', to: '/models', key: 'm' },
    ],
  },
  {
    title: 'Govern',
    rooms: [
      { title: 'Approvals', to: '/approvals', key: 'a' },
      { title: 'Policies', to: '/policies', key: 'c' },
      { title: 'Ledger', to: '/ledger', key: 'l' },
      { title: 'Jobs', to: '/jobs', key: 'j' },
      { title: 'Settings', to: '/settings', key: 's' },
    ],
  },
]

export const everyRoom: readonly Room[] = rooms.flatMap((group) => group.rooms)

export function isWithin(path: string, room: string): boolean {
  return room === '/' ? path === '/' : path === room || path.startsWith(`${room}/`)
}
