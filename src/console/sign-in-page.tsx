import { Button, Code, Container, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { Logo } from './design/logo.tsx'
import { Problem } from './design/problem.tsx'
import { signIn } from './session.ts'

/** `refusal` is why the link that led here did not sign anybody in. */
export function SignInPage({ refusal }: { refusal: Error | null }) {
  const router = useRouter()
  const [secret, setSecret] = useState('')
  const signingIn = useMutation({
    mutationFn: signIn,
    onSuccess: () => router.navigate({ to: '/', replace: true }),
  })
  const error = signingIn.error ?? (signingIn.isIdle ? refusal : null)
  return (
    <Container size={440} component="main" pt="12vh" pb="lg">
      <Paper p="xl" component="form" onSubmit={submit}>
        <Stack>
          <Title order={1} size="h3" style={{ display: 'flex', alignItems: 'center', gap: '0.6rem' }}>
            <Logo />
            Sign in to Pave
          </Title>
          {error !== null && <Problem error={error} />}
          <PasswordInput
            label="Sign-in link, its code, or an API token"
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
      </Paper>
    </Container>
  )

  function submit(event: { preventDefault(): void }) {
    event.preventDefault()
    signingIn.mutate(secret)
  }
}
