import { PaveError } from '../errors.ts'
import type { Analytics, QueryOptions } from './duckdb.ts'
import { analyticsFailure } from './errors.ts'

export interface ParquetDescription {
  /** DuckDB's name of the type: `BIGINT`, `TIMESTAMP WITH TIME ZONE`, `VARCHAR[]`. */
  columns: { name: string; type: string }[]
  rowCount: number
}

/**
 * What a Parquet file's footer says. A file that is empty, cut off or something else is `parquet_invalid`; the data pages
 * are not read, so damage there shows only in a query.
 */
export async function describeParquet(
  analytics: Analytics,
  path: string,
  options?: QueryOptions,
): Promise<ParquetDescription> {
  try {
    const counted = await analytics.query('SELECT sum(num_rows) AS rows FROM parquet_file_metadata(?)', [path], options)
    const { columns } = await analytics.query('SELECT * FROM read_parquet(?) LIMIT 0', [path], options)
    return { columns, rowCount: Number(counted.rows[0]?.['rows']) }
  } catch (error) {
    if (error instanceof PaveError && error.code === 'analytics_query_failed')
      throw analyticsFailure('parquet_invalid', `${path} cannot be read as Parquet: ${error.message}`, { cause: error })
    throw error
  }
}
