import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useCallback, useMemo, useState } from 'react'
import type { z } from 'zod'
import { client, read } from '../../../console/api.ts'
import { searchTrackingRuns, type TrackingRun } from '../contract.ts'
import { missingParents } from './arrange-runs.ts'
import { orderOf, quoted } from './run-columns.ts'

/** What a page of runs is about; its parts are in the page's address. */
export interface RunSearch {
  experiment: string
  search: string | undefined
  filter: string | undefined
  order: string
}

const firstPage = 100
const laterPages = 500
/** As many are read again whenever a run has changed; whoever has more before him asks for it. */
const mostFollowed = firstPage + laterPages

/** After whose change runs are read again. */
export const aboutRuns = ['run', 'tracking-run', 'experiment']

type RunSearchInput = z.input<(typeof searchTrackingRuns)['input']>

export function inputOf({ experiment, search, filter, order }: RunSearch): RunSearchInput {
  const named = search === undefined ? undefined : `name ilike ${quoted(likePattern(search))}`
  const both = named !== undefined && filter !== undefined ? `(${filter}) and ${named}` : (named ?? filter)
  return { experiments: [experiment], orderBy: orderOf(order), ...(both !== undefined && { filter: both }) }
}

/** A filter that finds these runs. */
export const filterOfRuns = (runs: readonly string[]): string => `run in (${runs.map(quoted).join(', ')})`

/** The runs that a search finds, as far as one has scrolled, and how many there are. */
export function useRuns(search: RunSearch, fields: readonly string[] | undefined) {
  const input = inputOf(search)
  const [long, setLong] = useState('')
  const name = JSON.stringify(input)
  const following = long !== name
  const list = useInfiniteQuery({
    queryKey: [searchTrackingRuns.name, 'pages', input, fields],
    queryFn: ({ signal, pageParam }) =>
      client.call(
        searchTrackingRuns,
        {
          ...input,
          ...(fields !== undefined && { fields: [...fields] }),
          cursor: pageParam,
          limit: pageParam === undefined ? firstPage : laterPages,
          count: pageParam === undefined,
        },
        { signal },
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (before) => before,
    enabled: fields !== undefined,
    ...(following ? {} : { staleTime: Number.POSITIVE_INFINITY }),
    meta: { about: following ? aboutRuns : [] },
  })
  const { data, error, fetchNextPage, hasNextPage, isFetching, isPlaceholderData, refetch } = list
  const runs = useMemo(() => data?.pages.flatMap((page) => page.items), [data])
  const loaded = runs?.length ?? 0
  const total = Math.max(loaded, data?.pages[0]?.total ?? 0)
  const more = useCallback(() => {
    // What could not be read is read again when somebody asks for it, not over and over.
    if (!hasNextPage || isFetching || error !== null) return
    if (loaded >= mostFollowed) setLong(name)
    void fetchNextPage()
  }, [hasNextPage, isFetching, error, fetchNextPage, loaded, name])
  return {
    runs,
    total,
    error,
    more,
    hasMore: hasNextPage,
    isFetching,
    isOld: isPlaceholderData,
    isFollowed: following && error === null,
    readAgain: () => void refetch(),
  }
}

/** The runs that began some of these and were not found themselves. */
export function useParents(experiment: string, runs: readonly TrackingRun[], fields: readonly string[]) {
  const missing = useMemo(() => missingParents(runs).slice(0, 1000), [runs])
  const { data } = useQuery({
    ...read(
      searchTrackingRuns,
      {
        experiments: [experiment],
        filter: filterOfRuns(missing),
        fields: [...fields],
        limit: 1000,
      },
      aboutRuns,
    ),
    enabled: missing.length > 0,
    placeholderData: (before) => before,
  })
  return useMemo(() => (missing.length === 0 ? [] : (data?.items ?? [])), [missing, data])
}

const likePattern = (text: string): string => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
