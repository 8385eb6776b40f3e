import { Paper } from '@mantine/core'

/** The surface that parts of a page lie on. */
export const Panel = Paper.withProps({ withBorder: true, p: 'lg', radius: 'lg' })
