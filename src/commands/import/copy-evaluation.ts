import { getEvaluationDataset } from '#modules/traces/contract.ts'
import { importEvaluationDataset } from '#modules/traces/import-contract.ts'
import { createWebhook, listWebhooks } from '#modules/webhooks/contract.ts'
import { PaveError } from '#platform/errors.ts'
import { pagesOf } from '#platform/names.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { type Copied, type CopyOptions, instant, tryCopying } from './copied.ts'
import type { MlflowDataset, MlflowRecord } from './mlflow-source.ts'

const fullBatch = 500

/** Copies evaluation datasets with their records. One that has not changed since is skipped. */
export async function copyDatasets(
  { source, client, say }: CopyOptions,
  experiments: ReadonlyMap<string, string>,
  copied: Copied,
): Promise<void> {
  for await (const dataset of source.datasets()) {
    await tryCopying(`evaluation dataset ${dataset.name}`, { copied, say }, async () => {
      if ((await changedHere(client, dataset)) >= dataset.last_update_time) return
      const { dataset_id, name, created_time, last_update_time } = dataset
      const given = {
        dataset: dataset_id,
        name,
        tags: dataset.tags ?? {},
        experiments: dataset.experiment_ids.flatMap((one) => experiments.get(one) ?? []),
        createdAt: instant(created_time),
      }
      // Only one that is whole has the time of the original, which may be that of its making.
      const unfinished = Math.min(created_time, last_update_time - 1)
      let batch: MlflowRecord[] = []
      const flush = async (updated: number) => {
        await client.call(importEvaluationDataset, {
          ...given,
          updatedAt: instant(updated),
          records: batch.map(recordOf),
        })
        copied.records += batch.length
        batch = []
      }
      for await (const record of source.records(dataset_id)) {
        batch.push(record)
        if (batch.length === fullBatch) await flush(unfinished)
      }
      await flush(unfinished)
      await flush(last_update_time)
      copied.datasets++
    })
  }
}

/** When the dataset that is here was changed; one that is not never was. */
async function changedHere(client: Client, { dataset_id }: MlflowDataset): Promise<number> {
  try {
    return Date.parse((await client.call(getEvaluationDataset, { dataset: dataset_id })).updatedAt)
  } catch (error) {
    if (error instanceof PaveError && error.code === 'evaluation_dataset_not_found') return -1
    throw error
  }
}

function recordOf(record: MlflowRecord) {
  return {
    record: record.dataset_record_id,
    inputs: record.inputs,
    outputs: record.outputs ?? null,
    expectations: record.expectations ?? {},
    tags: record.tags ?? {},
    source: record.source ?? null,
    createdAt: instant(record.created_time),
    updatedAt: instant(record.last_update_time),
  }
}

/**
 * Nobody is told their secrets, and a receiver should not hear twice of one thing: webhooks come disabled and unsigned.
 * One that has the same name and address here is taken to be the same.
 */
export async function copyWebhooks(options: CopyOptions, copied: Copied): Promise<void> {
  // A server that has lost the key of their secrets cannot list them.
  await tryCopying('webhooks', { copied, say: options.say }, () => copyEach(options, copied))
}

async function copyEach({ source, client, say }: CopyOptions, copied: Copied): Promise<void> {
  let here: Set<string> | undefined
  for await (const { name, description, url, events } of source.webhooks()) {
    here ??= await webhooksHere(client)
    if (here.has(`${name} ${url}`)) continue
    await tryCopying(`webhook ${name}`, { copied, say }, async () => {
      await client.call(createWebhook, {
        name,
        description,
        url,
        events: events.map(({ entity, action }) => `${entity}.${action}`.toLowerCase()),
        state: 'disabled',
      })
      copied.webhooks++
    })
  }
}

async function webhooksHere(client: Client): Promise<Set<string>> {
  const found = new Set<string>()
  for await (const items of pagesOf((at) => client.call(listWebhooks, { limit: 200, ...at }))) {
    for (const { name, url } of items) found.add(`${name} ${url}`)
  }
  return found
}
