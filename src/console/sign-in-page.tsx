import { Button, Code, Container, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { Logo } from './design/logo.tsx'
import { Panel } from './design/panel.ts'
import { Problem } from './design/problem.tsx'
import { pageToReturnTo, signIn } from './session.ts'

/** A link's code comes in the part of the address that browsers keep to themselves, so it reaches no log. */
export function SignInPage() {
  const navigate = useNavigate()
  const code = useLocation({ select: (location) => location.hash })
  const from = useLocation({ select: (location) => location.search.from })
  const [secret, setSecret] = useState('')
  const signingIn = useMutation({
    mutationFn: signIn,
    onSuccess: () => navigate({ href: pageToReturnTo(from), replace: true }),
  })
  const { mutate, error } = signingIn
  useEffect(() => {
    if (code !== '') mutate(code)
  }, [code, mutate])
  return (
    <Container size={440} component="main" pt="12vh" pb="lg">
      <Panel p="xl" component="form" onSubmit={submit}>
        <Stack>
          <Title order={1} size="h3" style={{ display: 'flex', alignItems: 'center', gap: '0.6rem' }}>
            <Logo />
            Sign in to Pave
          </Title>
          {error !== null && <Problem error={error} />}
          <PasswordInput
            label="Sign-in link, its code, or your API token"
            value={secret}
            onChange={(event) => setSecret(event.currentTarget.value)}
            autoComplete="off"
            autoFocus
          />
          <Button type="submit" loading={signingIn.isPending} disabled={secret.trim() === ''}>
            Sign in
          </Button>
          <Text size="sm" c="dimmed">
            A link works once, for ten minutes. Make a fresh one where Pave runs:
          </Text>
          <Code block>pave create-sign-in-link admin</Code>
        </Stack>
      </Panel>
    </Container>
  )

  function submit(event: { preventDefault(): void }) {
    event.preventDefault()
    mutate(secret)
  }
}
