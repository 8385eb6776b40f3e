import { createRootRoute, createRoute, createRouter, redirect } from '@tanstack/react-router'
import { whoami } from '../modules/identity/contract.ts'
import { isSignedOut, queries, read } from './api.ts'
import { NotFoundPage } from './design/not-found-page.tsx'
import { Problem } from './design/problem.tsx'
import { OverviewPage } from './overview-page.tsx'
import { Shell } from './shell.tsx'
import { SignInPage } from './sign-in-page.tsx'

const root = createRootRoute({ notFoundComponent: NotFoundPage })

const signInRoute = createRoute({ getParentRoute: () => root, path: '/sign-in', component: SignInPage })

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async () => {
    await queries.ensureQueryData(read(whoami, {})).catch((error: unknown) => {
      throw isSignedOut(error) ? redirect({ to: '/sign-in', replace: true }) : error
    })
  },
  component: Shell,
  errorComponent: ({ error }) => <Problem error={error} />,
})

const overview = createRoute({ getParentRoute: () => signedIn, path: '/', component: OverviewPage })

export const router = createRouter({
  routeTree: root.addChildren([signInRoute, signedIn.addChildren([overview])]),
  defaultGcTime: 0,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
