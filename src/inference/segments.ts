import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory, unlessMissing } from './durable-file.ts'

/** A file of whole lines that is only ever appended to. */
export interface Segment {
  /** Sorts by time; never used twice by a node, even when its directory is emptied. */
  name: string
  /** Bytes of whole lines. */
  bytes: number
  /** Nothing will be appended. */
  sealed: boolean
}

const newline = 10

function segmentPath(directory: string, name: string): string {
  return join(directory, `${name}.ndjson`)
}

/** What earlier processes left, oldest first, cut back to whole lines: a crash may have torn the last one. */
export async function recoverSegments(directory: string): Promise<Segment[]> {
  await mkdir(directory, { recursive: true })
  const segments: Segment[] = []
  for (const file of (await readdir(directory)).sort()) {
    if (!file.endsWith('.ndjson')) continue
    const name = file.slice(0, -'.ndjson'.length)
    const bytes = await cutTornLine(segmentPath(directory, name))
    if (bytes === 0) await rm(segmentPath(directory, name))
    else segments.push({ name, bytes, sealed: true })
  }
  return segments
}

export async function createSegment(directory: string, name: string): Promise<FileHandle> {
  const file = await open(segmentPath(directory, name), 'ax', 0o600)
  await syncDirectory(directory)
  return file
}

export async function removeSegment(directory: string, name: string): Promise<void> {
  await rm(segmentPath(directory, name), { force: true })
  await syncDirectory(directory)
}

/**
 * Whole lines of a segment from `offset`: about `target` bytes at most, but always at least one line, and never beyond
 * `end`. Empty when the segment is gone.
 */
export async function readLines(directory: string, segment: Segment, offset: number, target: number, end: number) {
  const file = await unlessMissing(open(segmentPath(directory, segment.name), 'r'))
  if (file === undefined) return Buffer.alloc(0)
  try {
    for (let length = Math.min(target, end - offset); ; length = Math.min(length * 2, end - offset)) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
      const lines = buffer.subarray(0, bytesRead)
      const stop = lines.lastIndexOf(newline) + 1
      if (stop > 0 || length >= end - offset) return lines.subarray(0, stop)
    }
  } finally {
    await file.close()
  }
}

export async function countLines(directory: string, name: string): Promise<number> {
  let lines = 0
  for await (const chunk of createReadStream(segmentPath(directory, name))) {
    if (!Buffer.isBuffer(chunk)) continue
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) lines++
  }
  return lines
}

async function cutTornLine(path: string): Promise<number> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - 65_536)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
      const found = buffer.subarray(0, bytesRead).lastIndexOf(newline)
      if (found >= 0) {
        const whole = start + found + 1
        if (whole < size) await truncate(path, whole)
        return whole
      }
      end = start
    }
    return 0
  } finally {
    await file.close()
  }
}
