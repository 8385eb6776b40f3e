import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Page } from './page.tsx'

export function NotFoundPage() {
  return (
    <Page title="There is no such page">
      <Text>
        The address may have been mistyped, or what was there has another name now. Search for it with <kbd>/</kbd>, or{' '}
        <Anchor inherit renderRoot={(props) => <Link {...props} to="/" />}>
          go to the overview
        </Anchor>
        .
      </Text>
    </Page>
  )
}
