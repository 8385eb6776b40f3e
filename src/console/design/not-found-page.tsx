import { Anchor, Container, Text, Title } from '@mantine/core'

export function NotFoundPage() {
  return (
    <Container size={440} component="main" pt="15vh">
      <Title order={1} size="h3">
        There is no such page
      </Title>
      <Text mt="sm">
        <Anchor href="/">Go to the overview</Anchor>
      </Text>
    </Container>
  )
}
