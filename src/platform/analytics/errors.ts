import { defineErrors, failure } from '../errors.ts'

export const analyticsErrors = defineErrors({
  analytics_query_failed: {
    status: 422,
    summary: 'DuckDB refused the query or failed while running it.',
    hint: 'The message is DuckDB’s own; mend the SQL or the data that it names.',
  },
  analytics_timeout: {
    status: 504,
    summary: 'The query ran longer than it may and was killed.',
    hint: 'Narrow the time range or the columns, or raise the timeout.',
  },
  analytics_out_of_memory: {
    status: 507,
    summary: 'The query needed more memory, or more disk to spill to, than it may use.',
    hint: 'Narrow the time range or the columns, or raise the memory limit and the size of the temporary directory.',
  },
  analytics_too_many_rows: {
    status: 422,
    summary: 'The query has more rows than may be returned at once.',
    hint: 'Aggregate, add a LIMIT, or write the result to Parquet.',
  },
  analytics_crashed: {
    status: 500,
    summary: 'The process that ran the query died.',
    hint: 'Nothing else was harmed; retry. If it dies again, the system may be out of memory.',
  },
  analytics_busy: {
    status: 503,
    summary: 'Too many queries wait already.',
    hint: 'Retry after a moment.',
  },
  analytics_closed: {
    status: 503,
    summary: 'This process is shutting down.',
    hint: 'Retry after a moment.',
  },
  parquet_invalid: {
    status: 422,
    summary: 'The file is not a Parquet file that can be read.',
    hint: 'Check that the upload was complete and that the file was written as Parquet; footer-encrypted files are not read.',
  },
})

export const analyticsFailure = failure(analyticsErrors)
