import { readFile } from 'node:fs/promises'

/** undefined for a file that is missing, or was not written to its end. */
export async function readJson<T>(path: string, schema: { parse(value: unknown): T }): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
