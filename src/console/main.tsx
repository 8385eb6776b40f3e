/// <reference types="vite/client" />
import './interpret-schemas.ts'
import './design/styles.ts'
import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { queries } from './api.ts'
import { theme } from './design/theme.ts'
import { router } from './routes.tsx'

const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  )
}
