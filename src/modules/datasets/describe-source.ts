import { describeParquet, type ParquetDescription } from '#platform/analytics/describe-parquet.ts'
import { analyticsFailure } from '#platform/analytics/errors.ts'
import { PaveError } from '#platform/errors.ts'
import type { Services } from '#platform/services.ts'
import type { DatasetSpec } from './contract.ts'

/** The columns of a dataset's source and the file to read. @throws `parquet_invalid` */
export async function describeSource(
  { objects, analytics }: Services,
  dataset: string,
  { source }: DatasetSpec,
): Promise<ParquetDescription & { path: string }> {
  const path = await objects.localPath(source.digest)
  try {
    return { ...(await describeParquet(analytics, path)), path }
  } catch (error) {
    if (!(error instanceof PaveError) || error.code !== 'parquet_invalid') throw error
    const name = source.name ?? source.digest
    throw analyticsFailure(
      'parquet_invalid',
      `The source of the dataset ${dataset} is not Parquet: ${error.message.replaceAll(path, name)}`,
      { cause: error },
    )
  }
}
