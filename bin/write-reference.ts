import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { referencePages } from './reference/pages.ts'

// Writes the pages of docs/reference that follow from the code; a test fails where they differ from it.

const directory = join(import.meta.dirname, '..', 'docs', 'reference')
for (const folder of ['schemas', 'operations']) await rm(join(directory, folder), { recursive: true, force: true })
for (const [name, text] of await referencePages()) {
  const file = join(directory, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  console.log(file)
}
