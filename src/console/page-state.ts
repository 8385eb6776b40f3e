import { useLocation, useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { z } from 'zod'

/**
 * What a page shows beyond its path, kept in the address, so that a link leads to exactly what its sender saw. Give
 * every field a `.catch(…)`: an address is typed by people.
 */
export function usePageState<S extends z.ZodObject>(schema: S) {
  const navigate = useNavigate()
  const search = useLocation({ select: (location) => location.search })
  const state = useMemo(() => schema.parse(search), [schema, search])
  /** Undefined takes a field out of the address. `push` makes the change a step of the browser's history. */
  const change = useCallback(
    (fields: { [Field in keyof z.output<S>]?: z.output<S>[Field] | undefined }, options: { push?: boolean } = {}) =>
      void navigate({
        to: '.',
        search: (previous: Record<string, unknown>) => ({ ...previous, ...fields }),
        replace: options.push !== true,
        resetScroll: false,
      }),
    [navigate],
  )
  return [state, change] as const
}
