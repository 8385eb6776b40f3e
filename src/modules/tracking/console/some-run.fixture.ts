import type { MetricValue, TrackingRun } from '../contract.ts'

interface SomeRun {
  run?: string
  name?: string
  params?: Record<string, string>
  metrics?: Record<string, MetricValue>
  tags?: Record<string, string>
}

/** A run with what a test is about. */
export function someRun({ run = 'a', name = 'r', params = {}, metrics = {}, tags = {} }: SomeRun): TrackingRun {
  const points = Object.entries(metrics).map(([key, value]) => ({
    key,
    value,
    step: 0,
    timestamp: 0,
    lowest: null,
    highest: null,
  }))
  return {
    run: `00000000-0000-7000-8000-${run.padStart(12, '0')}`,
    experiment: '1',
    name,
    status: 'finished',
    state: 'active',
    startedAt: '2026-01-01T00:00:00Z',
    endedAt: null,
    author: '00000000-0000-7000-8000-00000000000b',
    tags,
    params,
    metrics: points,
    datasets: [],
    models: [],
  }
}
