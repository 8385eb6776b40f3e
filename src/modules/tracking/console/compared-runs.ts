import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { read } from '../../../console/api.ts'
import { searchTrackingRuns, type TrackingRun } from '../contract.ts'
import { aboutRuns, filterOfRuns, inputOf, type RunSearch } from './use-runs.ts'

/** Runs that can be ticked: their ids are in the address, which has its limits. */
export const mostCompared = 100
/** Of the runs that a search finds, as many are compared. */
const mostFound = 500

/** The runs that were ticked, in that order; without any, those that the search finds. */
export function useComparedRuns(search: RunSearch, chosen: readonly string[]) {
  const fields = ['metrics', 'params', 'tags']
  const input =
    chosen.length > 0
      ? {
          experiments: [search.experiment],
          filter: filterOfRuns(chosen),
          state: 'all' as const,
          limit: mostCompared,
        }
      : { ...inputOf(search), limit: mostFound, count: true }
  const { data, error } = useQuery({
    ...read(searchTrackingRuns, { ...input, fields }, aboutRuns),
    placeholderData: keepPreviousData,
  })
  const runs = useMemo((): TrackingRun[] | undefined => {
    if (data === undefined || chosen.length === 0) return data?.items
    const found = new Map(data.items.map((run) => [run.run, run]))
    return chosen.flatMap((id) => found.get(id) ?? [])
  }, [data, chosen])
  return { runs, error, total: data?.total ?? runs?.length ?? 0 }
}
